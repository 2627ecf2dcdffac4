#include "table/context_attributes.hpp"

#include <fmt/format.h>

#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace unveil {

void add_context_attributes(std::span<const std::string> texts, ContextAttributes& attributes) {
    std::map<std::string, std::string>* context = nullptr;
    const auto refuse = [](std::string_view text, const std::string& what) {
        throw Error(ErrorKind::usage, fmt::format("'{}' does not say what a context is: {}", printable(text, 120), what), "Write NAME:country=CN,language=zh");
    };
    for (const std::string_view text : texts) {
        for (std::string_view rest = text;;) {
            const std::string_view whole = rest.substr(0, rest.find(','));
            std::string_view part = whole;
            // A name may hold colons, the name of an attribute none.
            if (const std::size_t colon = part.substr(0, part.find('=')).rfind(':'); colon != std::string_view::npos) {
                if (colon == 0) refuse(text, "the name of the context is empty");
                context = &attributes[std::string(part.substr(0, colon))];
                part.remove_prefix(colon + 1);
            }
            if (context == nullptr) refuse(text, "it does not begin with the name of a context and a colon");
            const std::size_t equals = part.find('=');
            const std::string name(part.substr(0, equals));
            if (equals == std::string_view::npos || name.empty() || equals + 1 == part.size()) refuse(text, fmt::format("'{}' is no attribute and value", printable(part, 60)));
            if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") != std::string::npos) refuse(text, fmt::format("the attribute '{}' is not of a-z and '-'", printable(name, 60)));
            const auto [known, is_new] = context->emplace(name, part.substr(equals + 1));
            if (!is_new && known->second != part.substr(equals + 1)) refuse(text, fmt::format("its {} was '{}' before", name, printable(known->second, 60)));
            if (whole.size() == rest.size()) break;
            rest.remove_prefix(whole.size() + 1);
        }
    }
}

std::size_t attribute_count(const ContextAttributes& attributes) {
    std::set<std::string> names;
    for (const auto& [context, values] : attributes)
        for (const auto& [name, value] : values) names.insert(name);
    return names.size();
}

std::string merge_context_attributes(const ContextAttributes& more, ContextAttributes& attributes) {
    std::string differing;
    for (const auto& [context, values] : more)
        for (const auto& [name, value] : values) {
            const auto [known, is_new] = attributes[context].emplace(name, value);
            if (!is_new && known->second != value && differing.empty()) differing = context + ": " + name;
        }
    return differing;
}

}  // namespace unveil

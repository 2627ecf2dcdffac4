// What is known of the places from which messages are sent: their country, network, language, whether it is a group, the platform. By name of the context.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace unveil {

/// By context, then by attribute. What is not named is not known.
using ContextAttributes = std::map<std::string, std::map<std::string, std::string>>;

/// How many different attributes all contexts together have.
std::size_t attribute_count(const ContextAttributes& attributes);
/// More would make their combinations too many to look through.
constexpr std::size_t attributes_max = 8;

/// Adds what "cn/zh:country=CN,language=zh" says, in one text or cut at its commas: what begins without a name and colon is about the context before it. Names of
/// attributes are of a-z and '-', values are not empty. Throws Error(usage) for anything else, and for an attribute that has another value already.
void add_context_attributes(std::span<const std::string> texts, ContextAttributes& attributes);
/// Adds them all; the first context and attribute with another value than before as "cn: country", or nothing.
std::string merge_context_attributes(const ContextAttributes& more, ContextAttributes& attributes);

}  // namespace unveil

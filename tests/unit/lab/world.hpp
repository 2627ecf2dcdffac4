// Helpers of the lab's tests: a folder that goes away, a plain CSV reader of its own, a world in memory.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "lab/scenario.hpp"
#include "lab/truth.hpp"

namespace unveil::test {

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "unveil-lab-XXXXXX").string();
        m_path = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(m_path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string operator/(const std::string& name) const { return m_path + "/" + name; }
    const std::string& path() const { return m_path; }

  private:
    std::string m_path;
};

inline std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::vector<std::vector<std::string>> csv_rows(const std::string& text) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> row(1);
    bool is_quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_quoted) {
            if (c != '"')
                row.back() += c;
            else if (i + 1 < text.size() && text[i + 1] == '"')
                row.back() += text[++i];
            else
                is_quoted = false;
        } else if (c == '"') {
            is_quoted = true;
        } else if (c == ',') {
            row.emplace_back();
        } else if (c == '\n') {
            rows.push_back(std::move(row));
            row.assign(1, "");
        } else {
            row.back() += c;
        }
    }
    return rows;
}

using Options = std::map<std::string, std::string>;

inline ParameterValues takedown_parameters(const Options& options) {
    ParameterValues parameters(scenario_named("takedown").parameters);
    for (const auto& [name, value] : options) parameters.set(name, value);
    return parameters;
}

inline void make_takedown(const Folder& folder, std::uint64_t seed, const Options& options) {
    SilentProgress progress;
    make_scenario("takedown", takedown_parameters(options), seed, folder.path(), progress);
}

}  // namespace unveil::test

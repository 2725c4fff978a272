#include "child/environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace child {

namespace {

constexpr std::array<std::string_view, 4> kAlwaysInherited{"PATH", "LANG", "TZ", "TMPDIR"};
constexpr std::array<std::string_view, 4> kOfTheUser{"HOME", "USER", "LOGNAME", "SHELL"};
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

bool is_inherited(std::string_view name, bool is_own_user) {
    return std::ranges::contains(kAlwaysInherited, name) || name.starts_with("LC_") ||
           (is_own_user && std::ranges::contains(kOfTheUser, name));
}

void set(std::vector<std::string>& entries, std::string_view name, std::string_view value) {
    std::string entry = std::string(name) + "=" + std::string(value);
    auto found = std::ranges::find(entries, name, name_of);
    if (found != entries.end()) {
        *found = std::move(entry);
    } else {
        entries.push_back(std::move(entry));
    }
}

}  // namespace

std::vector<std::string> program_environment(const EnvironmentFacts& facts) {
    std::vector<std::string> entries;
    set(entries, "PATH", kDefaultPath);
    for (std::string_view entry : facts.inherited) {
        std::string_view name = name_of(entry);
        if (name.size() < entry.size() && is_inherited(name, !facts.user)) {
            set(entries, name, entry.substr(name.size() + 1));
        }
    }
    if (facts.user) {
        set(entries, "HOME", facts.user->home);
        set(entries, "USER", facts.user->name);
        set(entries, "LOGNAME", facts.user->name);
    }
    set(entries, "TRILITH_INSTANCE", facts.instance);
    if (facts.port) {
        set(entries, "PORT", std::to_string(*facts.port));
    }
    for (const auto& [name, value] : facts.configured) {
        set(entries, name, value);
    }
    return entries;
}

std::vector<std::string> program_files(const std::string& file, const std::vector<std::string>& environment) {
    if (file.contains('/')) {
        return {file};
    }
    std::string_view path = "/usr/local/bin:/usr/bin:/bin";
    for (std::string_view entry : environment) {
        if (entry.starts_with("PATH=")) {
            path = entry.substr(5);
        }
    }
    std::vector<std::string> found;
    while (!path.empty()) {
        std::string_view directory = path.substr(0, path.find(':'));
        found.push_back((directory.empty() ? "." : std::string(directory)) + "/" + file);
        path.remove_prefix(std::min(directory.size() + 1, path.size()));
    }
    return found;
}

std::vector<std::string> own_environment() {
    std::vector<std::string> entries;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        entries.emplace_back(*entry);
    }
    return entries;
}

}  // namespace child

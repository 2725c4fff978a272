// The environment of the site's program: little of ours, and what the configuration says.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/account.h"

namespace child {

struct EnvironmentFacts {
    std::span<const std::string> inherited;  // ours, "NAME=value"
    std::span<const std::pair<std::string, std::string>> configured;
    std::optional<runtime::Account> user;  // whom the program runs as, if not as we do
    std::string instance;                  // "app-1"
    std::optional<uint16_t> port;
};

// Entries "NAME=value", each name once. Inherited are PATH, LANG, LC_*, TZ, TMPDIR and who the user is; every
// secret in the server's environment stays there. Then come TRILITH_INSTANCE and PORT, and last what the
// configuration says, which wins over all.
[[nodiscard]] std::vector<std::string> program_environment(const EnvironmentFacts& facts);

// Ours, for EnvironmentFacts::inherited.
[[nodiscard]] std::vector<std::string> own_environment();

// Where the program `file` is looked for, in order: itself where it has a slash, else along the PATH of its
// environment.
[[nodiscard]] std::vector<std::string> program_files(
    const std::string& file,
    const std::vector<std::string>& environment
);

}  // namespace child

// The passwords of the cluster's accounts: made once, each in a file of its own of mode 0600.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "runtime/os.h"

namespace cluster {

struct Secrets {
    std::string manager;
    std::string replica;
    std::string router;
    std::string app;
    std::string admin;
};

// The file of one of them, "router", below the cluster's shared directory.
[[nodiscard]] std::string secret_file(const std::string& shared, std::string_view name);

// The secret in such a file; nothing where there is no file, an error where it holds something else.
[[nodiscard]] core::Result<std::optional<std::string>> read_secret(const std::string& path);

// Makes the shared directory and what is missing of the secrets, which two processes may do at the same time,
// and reads them. Each has 48 hexadecimal digits.
[[nodiscard]] core::Result<Secrets> prepare_secrets(const std::string& shared, runtime::Os& os);

}  // namespace cluster

// Reads [app] and the tables below it.
#pragma once

#include <string_view>

#include "node/config/config.h"
#include "node/config/section.h"

namespace node {

// As they are written in a configuration file: "unix", "SIGTERM".
[[nodiscard]] std::string_view listen_name(app::Listen listen);
[[nodiscard]] std::string_view signal_name(int signal);

// What [app] says; relative paths begin at `base`, where the program runs by default.
[[nodiscard]] AppConfig read_app(Section& app, std::string_view base);

// Whether the server answers for its program on app.port: where there is no web tier before it, or where a
// web tier on another server has no program of its own.
[[nodiscard]] bool has_app_port(const Config& config, const ServerConfig& server);

}  // namespace node

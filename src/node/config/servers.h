// Reads what concerns the site as a whole: its name, [servers], [admin].
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/config.h"
#include "node/config/section.h"

namespace node {

// The role's name as it is written in a configuration file.
[[nodiscard]] std::string_view role_name(Role role);

// Whether the server's weight means something: a backend of the derived pool, which those with the role web
// or app are.
[[nodiscard]] bool has_share(const ServerConfig& server);

// Whether any server has it.
[[nodiscard]] bool has_role(const Config& config, Role role);

// Where the first server with the role is written.
[[nodiscard]] Position place_of_role(Section& root, const Config& config, Role role);

// The site's name, or the default one.
[[nodiscard]] std::string read_site(Section& root);

// The name of a user of the system under the key `user`; leaves the target as it is where there is none.
void read_user(Section& section, std::string& user);

// The servers in the order written. Without [servers]: one, `local` at 127.0.0.1, with the roles `implied`.
// Where there is one server, its address and roles may be left out and are the same.
[[nodiscard]] std::vector<ServerConfig> read_servers(Section& root, RoleSet implied);

// [admin] listen, where it is written.
[[nodiscard]] std::optional<net::Address> read_admin(Section& root);

}  // namespace node

// Where clients come in to a site.
#pragma once

#include <optional>
#include <string>

#include "net/address.h"
#include "node/config/config.h"

namespace node {

// The first listener of the balancers, without one that of the first web server, as they stand in the file;
// none where the site has neither.
[[nodiscard]] std::optional<net::Address> public_address(const Config& config);

// The same as "http://127.0.0.1:8080"; "" where there is none.
[[nodiscard]] std::string public_address_text(const Config& config);

}  // namespace node

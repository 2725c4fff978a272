// Whether a running site is whole: every server, backend, instance and database server as the file wants it.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/config/config.h"
#include "node/control/up_json.h"
#include "node/status/status.h"

namespace node {

// What was seen of a site at one moment.
struct SiteView {
    std::optional<UpStatus> up;         // none: `trilith up` does not answer
    std::vector<ServerStatus> servers;  // those that answered
};

// Of the server; null where it did not answer.
[[nodiscard]] const ServerStatus* find_server(const SiteView& view, std::string_view server);

// Of the server that decides about the databases; null where none does just now.
[[nodiscard]] const DatabaseStatus* find_leader(const SiteView& view);

// One thing that is not as it should be.
struct MissingPart {
    std::string tier;      // "servers", "balancer", "web", "app", "sql router", "database"
    std::string sentence;  // "web1: it does not answer"
};

// In the order of the tiers; empty: the site is whole. Of servers that `up` runs, or where there is none, of
// those that answered.
[[nodiscard]] std::vector<MissingPart> missing_parts(const SiteView& view, const Config& config);

}  // namespace node

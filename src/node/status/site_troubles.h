// What is wrong with a site, by what its servers say: for people and for scripts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/status/status.h"

namespace node {

// A server of which nothing was heard.
struct SilentServer {
    std::string server{};
    std::string why{};  // "its process is gone", or in the words of a failed request
};

// What was heard of a site at one look.
struct SiteStatus {
    std::vector<ServerStatus> servers;
    std::vector<SilentServer> silent;

    // That of a server, or null.
    [[nodiscard]] const ServerStatus* find(std::string_view server) const;
    // All servers of the site, in the order of its file, as the first that answered has them.
    [[nodiscard]] std::span<const PlannedServer> whiteboard() const;
};

// Adds to `silent` the servers of this machine that the file has and nobody answered for.
void add_missing(SiteStatus& site);

// What must not be in a site that does its work, a sentence each; empty: nothing. A server of this machine is
// silent or stops; a pool has nobody who takes requests; there is no primary, or a router sees none; a
// database server does not run, went apart, or does not replicate. What an operator took out is not wrong as
// long as another takes its place.
[[nodiscard]] std::vector<std::string> troubles_of(const SiteStatus& site);

}  // namespace node

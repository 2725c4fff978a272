// What is worth saying of a site's servers in a few words: for the boxes of the drawing.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/status/site_troubles.h"
#include "node/terminal/box_drawing.h"

namespace node {

[[nodiscard]] Ink ink_of_flow(Flow flow);

// What a pool gives a backend, and a router a node.
[[nodiscard]] Flow flow_of(const BackendStatus& backend);
[[nodiscard]] Flow flow_of(const RouterNodeStatus& node);
// The backend's share, "50%", or why it has none: "down", "stands by".
[[nodiscard]] std::string flow_label_of(const PoolStatus& pool, const BackendStatus& backend);

// State, lag, override.
[[nodiscard]] std::vector<TextCell> node_facts(const RouterNodeStatus& node);

// A backend that is a server of the site, in a pool of another tier; null: there is none.
struct Fed {
    const PoolStatus* pool = nullptr;
    const BackendStatus* backend = nullptr;
};

class SiteFacts {
public:
    // Both outlive this. `earlier`: see StatusDrawingOptions.
    SiteFacts(const SiteStatus& site, std::span<const ServerStatus> earlier)
        : site_(site), earlier_(earlier) {}

    // up, stopping, no answer, elsewhere.
    [[nodiscard]] TextCell state(const PlannedServer& planned) const;
    // The most important first; none of a silent server but what others know of it.
    [[nodiscard]] std::vector<TextCell> of_role(const PlannedServer& planned, std::string_view role) const;
    // Of a pool of this server.
    [[nodiscard]] std::vector<TextCell> of_backend(
        const PoolStatus& pool,
        const BackendStatus& backend,
        std::string_view server
    ) const;

    [[nodiscard]] Fed fed(std::string_view server) const;
    // How a router sees it: the first that has a node of that name. Null: none has.
    [[nodiscard]] const RouterNodeStatus* node(std::string_view server) const;

private:
    struct Pair {
        const ServerStatus* now = nullptr;  // null: it is silent
        const ServerStatus* before = nullptr;
    };

    [[nodiscard]] Pair pair_of(std::string_view server) const;
    [[nodiscard]] std::vector<TextCell> database_facts(const PlannedServer& planned) const;
    static void add_traffic(std::vector<TextCell>& facts, const Pair& pair, std::string_view tier);
    static void add_router(std::vector<TextCell>& facts, const Pair& pair);

    const SiteStatus& site_;
    std::span<const ServerStatus> earlier_;
};

}  // namespace node

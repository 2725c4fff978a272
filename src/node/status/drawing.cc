#include "node/status/drawing.h"

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <utility>
#include <vector>

#include "node/status/site_facts.h"

namespace node {

namespace {

constexpr size_t kOthersMax = 12;

// From the visitors down.
enum class TierPlace : uint8_t { balancer, web, app, database };
constexpr size_t kTierPlaces = 4;

class Sketch {
public:
    Sketch(const SiteStatus& site, std::span<const ServerStatus> earlier)
        : site_(site), facts_(site, earlier) {}

    BoxDrawing draw() {
        std::array<BoxTier, kTierPlaces> tiers;
        for (const PlannedServer& planned : site_.whiteboard()) {
            place_server(planned, tiers);
        }
        add_other_pools(tiers[static_cast<size_t>(TierPlace::web)]);
        add_other_databases(tiers[static_cast<size_t>(TierPlace::database)]);
        BoxDrawing drawing;
        drawing.source = source_text();
        for (BoxTier& tier : tiers) {
            if (!tier.empty()) {
                drawing.tiers.push_back(std::move(tier));
            }
        }
        drawing.copying = copying_in(drawing);
        return drawing;
    }

    // What the drawing cannot show.
    std::vector<TextCell> notes(bool is_copying_drawn) const {
        std::vector<TextCell> notes;
        const DatabaseStatus* database = any_database();
        if (database == nullptr) {
            return notes;
        }
        std::string replicas;
        for (const PlannedServer& planned : site_.whiteboard()) {
            if (planned.has("database") && planned.server != database->primary) {
                replicas += (replicas.empty() ? "" : ", ") + planned.server;
            }
        }
        if (!is_copying_drawn && !replicas.empty() && !database->primary.empty()) {
            notes.push_back({std::format("replication: {} → {}", database->primary, replicas)});
        }
        if (database->epoch > 0 && !has_primary()) {
            notes.push_back({"no primary takes writes", Ink::red});
        }
        if (database->gate == "held") {
            notes.push_back({"writes are held", Ink::yellow});
        }
        if (database->epoch > 0 && !replicas.empty() && database->durability != "lossless") {
            notes.push_back({"no replica acknowledges: what is written now could be lost", Ink::yellow});
        }
        return notes;
    }

private:
    void place_server(const PlannedServer& planned, std::array<BoxTier, kTierPlaces>& tiers) const {
        bool is_heard = site_.find(planned.server) != nullptr;
        Box box{
            .title = printable(planned.server),
            .state = facts_.state(planned),
            .lines = {},
            .flow_label = {},
        };
        if (planned.has("balancer")) {
            Box balancer = box;
            balancer.lines.push_back({"balancer", facts_.of_role(planned, "balancer")});
            balancer.flow = !is_heard ? Flow::broken : Flow::running;
            tiers[static_cast<size_t>(TierPlace::balancer)].push_back(std::move(balancer));
        }
        std::optional<TierPlace> place;
        for (const auto& [role, tier] : std::array<std::pair<std::string_view, TierPlace>, 4>{{
                 {"web", TierPlace::web},
                 {"app", TierPlace::app},
                 {"router", TierPlace::app},
                 {"database", TierPlace::database},
             }}) {
            if (planned.has(role)) {
                place = place.value_or(tier);
                box.lines.push_back({std::string(role), facts_.of_role(planned, role)});
            }
        }
        if (place) {
            set_flow(box, planned);
            tiers[static_cast<size_t>(*place)].push_back(std::move(box));
        }
    }

    void set_flow(Box& box, const PlannedServer& planned) const {
        bool is_fed_by_pool = planned.has("web") || planned.has("app");
        if (const Fed fed = facts_.fed(planned.server); is_fed_by_pool && fed.backend != nullptr) {
            box.flow = flow_of(*fed.backend);
            box.flow_label = flow_label_of(*fed.pool, *fed.backend);
            return;
        }
        if (const RouterNodeStatus* node = facts_.node(planned.server); !is_fed_by_pool && node != nullptr) {
            box.flow = flow_of(*node);
            return;
        }
        box.flow = site_.find(planned.server) == nullptr && planned.is_local ? Flow::broken : Flow::running;
    }

    [[nodiscard]] bool is_planned(std::string_view name) const {
        return std::ranges::contains(site_.whiteboard(), name, &PlannedServer::server);
    }

    // Pools of the balancers with backends that are no servers of the site; each once.
    void add_other_pools(BoxTier& tier) const {
        std::vector<std::string_view> told;
        for (const ServerStatus& server : site_.servers) {
            for (const PoolStatus& pool : server.pools) {
                bool is_other = pool.tier == "balancer" &&
                                std::ranges::none_of(pool.backends, [&](const BackendStatus& backend) {
                    return is_planned(backend.name);
                });
                if (is_other && std::ranges::find(told, pool.name) == told.end()) {
                    told.push_back(pool.name);
                    tier.push_back(box_of(pool, server.server));
                }
            }
        }
    }

    [[nodiscard]] Box box_of(const PoolStatus& pool, std::string_view server) const {
        auto serving = std::ranges::count_if(pool.backends, &BackendStatus::is_in_rotation);
        Box box{.title = "pool " + printable(pool.name), .state = {}, .lines = {}, .flow_label = {}};
        box.flow = serving == 0 ? Flow::broken : Flow::running;
        box.state = {std::format("{} of {}", serving, pool.backends.size()), ink_of_flow(box.flow)};
        for (const BackendStatus& backend : pool.backends) {
            if (box.lines.size() == kOthersMax) {
                box.lines.push_back({std::format("and {} more", pool.backends.size() - kOthersMax), {}});
                break;
            }
            BoxLine line{.label = printable(backend.name), .facts = facts_.of_backend(pool, backend, server)};
            box.lines.push_back(std::move(line));
        }
        return box;
    }

    // Nodes of the routers that are no servers of the site.
    void add_other_databases(BoxTier& tier) const {
        Box box{.title = "databases", .state = {}, .lines = {}, .flow = Flow::broken, .flow_label = {}};
        for (const ServerStatus& server : site_.servers) {
            for (const RouterNodeStatus& node : server.router.value_or(RouterStatus{}).nodes) {
                std::string name = printable(node.name);
                bool is_new = std::ranges::find(box.lines, name, &BoxLine::label) == box.lines.end();
                if (is_new && !is_planned(node.name)) {
                    box.lines.push_back({std::move(name), node_facts(node)});
                    box.flow = flow_of(node) == Flow::running ? Flow::running : box.flow;
                }
            }
        }
        if (!box.lines.empty()) {
            tier.push_back(std::move(box));
        }
    }

    [[nodiscard]] const DatabaseStatus* any_database() const {
        const DatabaseStatus* found = nullptr;
        for (const ServerStatus& server : site_.servers) {
            bool is_better = server.database && (found == nullptr || server.database->epoch > found->epoch);
            found = is_better ? &*server.database : found;
        }
        return found;
    }

    [[nodiscard]] bool has_primary() const {
        const DatabaseStatus* database = any_database();
        const RouterNodeStatus* node = database == nullptr ? nullptr : facts_.node(database->primary);
        return node != nullptr && node->state == "primary";
    }

    // The arrow from the primary to the replicas, where they stand in the last tier.
    [[nodiscard]] std::optional<Copying> copying_in(const BoxDrawing& drawing) const {
        const DatabaseStatus* database = any_database();
        if (database == nullptr || database->primary.empty() || drawing.tiers.empty()) {
            return std::nullopt;
        }
        const BoxTier& tier = drawing.tiers.back();
        auto primary = std::ranges::find(tier, database->primary, &Box::title);
        Copying copying{
            .from = static_cast<size_t>(primary - tier.begin()),
            .to = {},
            .label = "replication"
        };
        for (const PlannedServer& planned : site_.whiteboard()) {
            if (!planned.has("database") || planned.server == database->primary) {
                continue;
            }
            auto box = std::ranges::find(tier, planned.server, &Box::title);
            if (box == tier.end()) {
                return std::nullopt;
            }
            const RouterNodeStatus* node = facts_.node(planned.server);
            bool is_fit = has_primary() && node != nullptr && node->is_fit;
            copying.to.emplace_back(box - tier.begin(), is_fit ? Flow::running : Flow::broken);
        }
        return primary == tier.end() || copying.to.empty() ? std::nullopt : std::optional(std::move(copying));
    }

    // Who comes in, and where.
    [[nodiscard]] std::string source_text() const {
        for (std::string_view role : {"balancer", "web", "app", "router"}) {
            for (const PlannedServer& planned : site_.whiteboard()) {
                const ServerStatus* status = site_.find(planned.server);
                if (planned.has(role) && status != nullptr && !status->listeners.empty()) {
                    return std::format("visitors at {}", printable(status->listeners.front()));
                }
            }
        }
        return "visitors";
    }

    const SiteStatus& site_;
    SiteFacts facts_;
};

}  // namespace

std::string status_drawing(const SiteStatus& site, const StatusDrawingOptions& options) {
    Sketch sketch(site, options.earlier);
    BoxDrawing drawing = sketch.draw();
    std::string text = draw_boxes(drawing, options.layout);
    bool is_copying_drawn = drawing.copying && has_room_for_copying(drawing, options.layout);
    for (TextCell note : sketch.notes(is_copying_drawn)) {
        TextTable line({Align::left});
        line.add_row({std::move(note)});
        line.append_to(text, {.columns = options.layout.columns, .colour = options.layout.colour});
    }
    return text;
}

}  // namespace node

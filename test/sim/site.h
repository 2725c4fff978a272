// A whole site in simulation: the production node with its cores in front of scripted origins, clients that
// never retry, and the faults of a plan. One seed draws all of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/log.h"
#include "node/serve/node.h"
#include "sim/sim_client.h"
#include "sim/sim_origin.h"
#include "sim/world.h"

namespace sim {

enum class Roughness : uint8_t {
    orderly,  // origins and hosts do what they should, connections stay
    rough,    // hosts die, freeze and are cut off; connections go stale; the operator works. Origin 0 stays
              // healthy throughout.
};

struct SitePlan {
    Roughness roughness = Roughness::orderly;
    WireConfig wire;
    size_t cores = 1;
    std::vector<uint32_t> weights;  // of the origins; 2 to 6 of them
    size_t clients = 4;
    size_t requests = 25;  // of each client
    uint32_t post_percent = 30;
    uint32_t old_percent = 10;  // requests in HTTP/1.0
    uint32_t retries = 10;
    uint32_t connections_max = 1000;   // of an origin
    uint32_t interim_percent = 20;     // answers of an origin with a 103 before them
    uint32_t until_close_percent = 0;  // answers after which an origin ends the connection, as it says
    upstream::Mode mode = upstream::Mode::active_active;
    std::vector<bool> are_backups;  // of the origins, where some are
    bool is_reversed = false;       // origin 0 stands last in the configuration
    core::Duration drain{30'000'000'000};

    [[nodiscard]] static SitePlan drawn(uint64_t seed, Roughness roughness);
};

class Site {
public:
    Site(uint64_t seed, SitePlan plan);
    ~Site();
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    // Waits until every origin's health is known, then lets the clients begin. False when that takes too
    // long.
    [[nodiscard]] bool begin();
    // Until all clients have sent all their requests. False when somebody hangs.
    [[nodiscard]] bool finish_clients();
    // Ends everything in order: the node drains, then the origins stop. False when somebody hangs.
    [[nodiscard]] bool shut_down();

    [[nodiscard]] World& world() { return world_; }

    [[nodiscard]] node::Node& node() { return *node_; }

    [[nodiscard]] const SitePlan& plan() const { return plan_; }

    [[nodiscard]] const Ledger& ledger() const { return ledger_; }

    [[nodiscard]] SimOrigin& origin(size_t index) { return *origins_[index]; }

    [[nodiscard]] std::vector<Answer> answers() const;

    // What the program said, for the message of a failed test.
    [[nodiscard]] const std::string& log() const { return log_text_; }

    [[nodiscard]] size_t access_log_lines() const;
    // The access log's line of that request, for the message of a failed test.
    [[nodiscard]] std::string access_log_line(uint64_t id) const;

private:
    struct AccessLog final : node::LogSink {
        bool write(std::string lines) override {
            text += lines;
            return true;
        }

        void reopen(node::LogPlace) override {}

        std::string text;
    };

    [[nodiscard]] node::Config config(size_t origins) const;
    void add_origins();
    void open_node();
    void add_clients();
    void plan_faults();
    void plan_outage(size_t origin, core::Instant when, core::Duration length);
    void plan_order(core::Instant when);

    SitePlan plan_;
    World world_;
    Ledger ledger_;
    std::string log_text_;
    core::Log log_;
    AccessLog access_log_;
    std::vector<std::unique_ptr<SimOrigin>> origins_;
    std::vector<runtime::Reactor*> origin_reactors_;
    std::vector<runtime::Reactor*> balancer_reactors_;  // the control reactor first
    std::unique_ptr<node::Node> node_;
    std::vector<std::unique_ptr<SimClient>> clients_;
    std::vector<runtime::Reactor*> client_reactors_;
};

}  // namespace sim

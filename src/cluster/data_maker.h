// Makes the data directory of a server: empty, as a copy of a template with the site's accounts, or with what
// the primary has. Nothing but a whole one ever has the name `data`: what a try leaves that was broken off is
// removed by the next one.
//
// A primary whose binlogs are short and begin with the first transaction sends a replica that begins empty
// everything. Any other one's data are copied while it runs, by mariadb-backup; on one machine its files are
// at hand, so nothing is streamed. Where that program is missing, or commits wait for the copy that is being
// made, the data are copied as SQL (sql_copy.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/config.h"
#include "cluster/secrets.h"
#include "cluster/tool_runs.h"
#include "core/log.h"
#include "runtime/reactor.h"
#include "runtime/task.h"
#include "upstream/topology.h"

namespace cluster {

struct DataMakerWorld {
    runtime::Reactor& reactor;
    core::Log& log;
    const Config& config;
    const Secrets& secrets;
    ToolRuns& tools;
    Place place{};                                // whose data are made
    std::vector<Place> places{};                  // of all servers
    std::string shared{};                         // where the template lies
    std::function<void(std::string)> progress{};  // is called with what is being done
};

struct CopyWatch {
    std::string source{};  // the server that is copied
    std::string place{};   // the directory that the copy grows in
    uint64_t bytes = 0;    // about so large it will be; 0: nobody knows
};

// Tells how far a copy is, until the fiber is stopped, and kills the tools of one that gets no further.
runtime::Task<void> follow_copy(const DataMakerWorld& world, CopyWatch watch);

class DataMaker {
public:
    explicit DataMaker(DataMakerWorld world) : world_(std::move(world)) {}

    // Makes `data` in the place's directory; there is none (asserted). An error names what cannot be had, and
    // the cure; the next call begins anew.
    [[nodiscard]] runtime::Task<core::Result<void>> make(const upstream::Topology& topology);

private:
    [[nodiscard]] runtime::Task<core::Result<void>> make_template();
    [[nodiscard]] runtime::Task<core::Result<void>> copy_template();
    // The GTID position of the copy.
    [[nodiscard]] runtime::Task<core::Result<std::string>> copy_running(
        const Place& source,
        const upstream::Topology& topology
    );
    [[nodiscard]] runtime::Task<core::Result<void>> back_up(const Place& source);
    [[nodiscard]] runtime::Task<core::Result<void>> set_position(
        const std::string& position,
        const std::string& state
    );
    // Whether the data are copied as SQL. An error: they cannot be copied, and what is to be installed.
    [[nodiscard]] core::Result<bool> wants_sql(const Place& source, const upstream::Topology& topology) const;
    [[nodiscard]] core::Result<void> check_room(const Place& source, uint64_t times) const;
    [[nodiscard]] std::string fresh() const { return world_.place.directory + "/data.new"; }

    DataMakerWorld world_;
};

}  // namespace cluster

// The copy of a running primary's data as SQL, by mariadb-dump: slower than a copy of its files, but it needs
// neither mariadb-backup nor that commits come to their end, which under `alone = "hold"` they do not while
// the copy is what is missing.
#pragma once

#include <string>
#include <vector>

#include "cluster/data_maker.h"

namespace cluster {

class SqlCopy {
public:
    // Into the data directory `target`, which is a copy of the template. The world outlives it.
    SqlCopy(const DataMakerWorld& world, std::string target) : world_(world), target_(std::move(target)) {}

    // The GTID position at which the source stood. An error names what cannot be had, or what was changed
    // meanwhile so that the copy is not the source's; what is left in the target is of no use then.
    [[nodiscard]] runtime::Task<core::Result<std::string>> make(const Place& source);

    // The source's @@gtid_binlog_state.
    [[nodiscard]] runtime::Task<core::Result<std::string>> binlog_state(const Place& source);

private:
    struct Server {
        core::Result<void> outcome{};
        bool has_ended = false;
    };

    [[nodiscard]] core::Result<void> prepare() const;
    [[nodiscard]] runtime::Task<core::Result<void>> check_tables(const Place& source);
    [[nodiscard]] runtime::Task<core::Result<void>> dump(const Place& source);
    [[nodiscard]] runtime::Task<core::Result<void>> load();
    [[nodiscard]] runtime::Task<core::Result<void>> load_into(const Server& server);
    runtime::Task<void> run_server(std::vector<std::string> command, Server& server);
    [[nodiscard]] runtime::Task<core::Result<std::string>> ask(
        const std::string& socket,
        const std::string& statement
    );
    [[nodiscard]] std::string place() const { return world_.place.directory + "/tmp/copy"; }
    [[nodiscard]] std::string text() const { return place() + "/copy.sql"; }
    [[nodiscard]] std::string accounts() const { return place() + "/client.cnf"; }

    const DataMakerWorld& world_;
    std::string target_;
};

}  // namespace cluster

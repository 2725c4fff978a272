// A running site as a drill sees it: what it says, what it listens on, and what can be done to it.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "mariadb/database_url.h"
#include "node/control/client.h"
#include "node/drill/plan.h"
#include "node/status/site_health.h"
#include "node/verbs/command_line.h"
#include "node/verbs/console.h"
#include "node/verbs/running_site.h"

namespace node {

class DrillSite {
public:
    // Finds the site that runs, and reads its file as it is now. Fails where none runs, where it cannot be
    // told which (invalid), or where the file is wrong. `console` outlives it.
    [[nodiscard]] static core::Result<DrillSite> find(const SiteOptions& options, Console& console);

    [[nodiscard]] const Config& config() const { return config_; }

    [[nodiscard]] std::string sockets_directory() const {
        return up_socket_.substr(0, up_socket_.rfind('/'));
    }

    // Asks `up` and every server, each a moment.
    [[nodiscard]] SiteView look() const;

    // Where its clients connect. not_found: it has neither balancer nor web server.
    [[nodiscard]] core::Result<net::Address> address(const SiteView& view) const;

    // Where its program has the database; those of `avoided`'s SQL router only where there is no other.
    // Empty: the file has no [database], or where it is is not known.
    [[nodiscard]] std::vector<mariadb::DatabaseUrl> databases(std::string_view avoided) const;

    // Kills or stops the target, has the file read again, or gives the orders that the drill is named by and
    // takes them back. A process that is stopped goes on after `freeze`; a drain has `drill.within`.
    [[nodiscard]] core::Result<void> do_deed(const DrillTarget& target, core::Duration freeze) const;
    // Lets go on what was stopped.
    [[nodiscard]] core::Result<void> undo() const;

private:
    DrillSite(const SiteOptions& options, Console& console) : options_(&options), console_(&console) {}

    [[nodiscard]] core::Result<void> order(const std::string& socket, const ControlCall& call) const;
    // To every server that it concerns; fails with the first that refuses.
    [[nodiscard]] core::Result<std::vector<ServerAnswer>> order_all(const ControlCall& call) const;
    [[nodiscard]] core::Result<void> change_weights(const std::string& server) const;
    [[nodiscard]] core::Result<void> drain(const std::string& server) const;
    // Gives the call that takes back what was done, however that ended; the first error of the two.
    [[nodiscard]] core::Result<void> take_back(core::Result<void> done, const ControlCall& call) const;

    const SiteOptions* options_;
    Console* console_;
    Config config_;
    std::string up_socket_;
    std::string state_dir_;  // empty: not known
};

}  // namespace node

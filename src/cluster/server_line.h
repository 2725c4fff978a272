// One server as the leader knows it: looked at again and again, and told what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/config.h"
#include "cluster/look.h"
#include "cluster/view.h"
#include "mariadb/kept_connection.h"
#include "runtime/descriptor.h"
#include "runtime/event.h"
#include "runtime/task.h"

namespace cluster {

class ServerLine {
public:
    // The references outlive it; `changed` is set whenever the view may have.
    ServerLine(
        runtime::Reactor& reactor,
        net::SharedReadBuffer& shared,
        Place place,
        const mariadb::LoginAccount& account,
        runtime::Event& changed
    );

    // Looks until the fiber is stopped; from then on the view begins anew.
    [[nodiscard]] runtime::Task<void> watch(const NameSource& name_source);

    // As seen now.
    [[nodiscard]] View view() const;

    // Statements as an order, over a connection of its own. After it, whatever came of it, only a look that
    // begins later counts.
    [[nodiscard]] runtime::Task<mariadb::ServerResult<mariadb::QueryAnswer>> order(
        std::string statements,
        core::Duration within
    );
    // The same over a connection that is opened for it: where the other may be stuck.
    [[nodiscard]] runtime::Task<mariadb::ServerResult<mariadb::QueryAnswer>> order_apart(
        std::string statements,
        core::Duration within
    );

    // A question that changes nothing that a look sees, over a connection of its own.
    [[nodiscard]] runtime::Task<mariadb::ServerResult<mariadb::QueryAnswer>> ask_apart(
        std::string statements,
        core::Duration within
    );

    // The same, again and again, over a connection that is kept for it: a write that is no order. One at a
    // time; one that broke may have been done twice.
    [[nodiscard]] runtime::Task<mariadb::ServerResult<mariadb::QueryAnswer>> try_write(
        std::string statements,
        core::Duration within
    );

    void end_writes() { writes_.close(); }

    // The next look is due.
    void look_soon() { wake_.set(); }

    // Ends its mariadbd and keeps it ended until release(). False: it has not ended within `within`, or the
    // fiber was stopped.
    [[nodiscard]] runtime::Task<bool> fence(core::Duration within);
    void release() { fence_.close(); }
    [[nodiscard]] bool is_fenced() const { return fence_.is_open(); }

    [[nodiscard]] const Place& place() const { return place_; }

private:
    void take(const mariadb::ServerResult<mariadb::QueryAnswer>& answer, const NameSource& name_source);
    void take_sight(Sight sight);
    void take_silence(std::string why);
    runtime::Task<void> await_next();
    void forget();
    void forget_before_now();

    runtime::Reactor& reactor_;
    net::SharedReadBuffer& shared_;
    Place place_;
    const mariadb::LoginAccount& account_;
    runtime::Event& changed_;
    runtime::Event wake_;
    mariadb::KeptConnection looks_;
    mariadb::KeptConnection orders_;
    mariadb::KeptConnection writes_;  // of try_write()
    runtime::Descriptor fence_;
    std::optional<Sight> sight_;
    std::string why_ = "was not looked at yet";
    bool has_ended_ = false;
    bool is_starting_ = false;  // see View
    core::Instant look_began_{};
    uint64_t look_ = 0;         // the number of the last look that began
    uint64_t sight_look_ = 0;   // of the one that sight_ is from
    uint64_t outdated_ = 0;     // looks up to this one began before an order ended, and do not count
    core::Instant answered_{};  // last, or when the watch began
    core::Instant answering_since_ = core::Instant::never();
    core::Instant steady_since_ = core::Instant::never();
    bool is_proven_ = false;  // see View
    core::Instant stopped_since_ = core::Instant::never();
    core::Instant parked_since_ = core::Instant::never();
    uint64_t renewal_ = 0;  // see View
};

}  // namespace cluster

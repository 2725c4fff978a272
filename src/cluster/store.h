// Where the cluster's topology is kept, and who may change it. One leader at a time does; everybody reads it,
// hears of changes, and confirms what it goes by.
//
// This is the store of one machine: files in a directory that all servers of the site share, which only their
// user may enter. The lease is a lock on a file, held as long as the process lives; a change is a new file,
// fsynced, renamed over the old one; notification is inotify(7). A store of several machines (etcd) keeps the
// same promises with the same words.
//
//   topology      see upstream/topology.h
//   leader        the lease
//   journal       one line a change, oldest first
//   routers/NAME  what that router goes by; locked while it lives
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "runtime/descriptor.h"
#include "runtime/file.h"
#include "runtime/os.h"
#include "runtime/reactor.h"
#include "runtime/task.h"
#include "runtime/watched_descriptor.h"
#include "upstream/topology.h"

namespace cluster {

class Store {
public:
    // `directory` exists and is ours alone.
    Store(runtime::Os& os, std::string directory) : os_(os), directory_(std::move(directory)) {}

    // The topology as it is now; that of version 0 where none was ever recorded. A damaged one is an error
    // that names file and cure: nobody may take it for none.
    [[nodiscard]] core::Result<upstream::Topology> read() const;

    // Takes the lease if nobody has it; true: we lead, now or already.
    [[nodiscard]] bool try_lead();
    void give_up_lead() { lease_.close(); }
    [[nodiscard]] bool leads() const { return lease_.is_open(); }

    // Records `next` in the place of the topology of version `expected`, with the version after it, and
    // writes `sentence` to the journal: on the disk when this returns. conflict: another is recorded, or we
    // do not lead.
    [[nodiscard]] core::Result<void> replace(
        upstream::Topology next,
        uint64_t expected,
        std::string_view sentence
    );

    // A router goes by the topology of this version on all of its cores.
    [[nodiscard]] core::Result<void> confirm(std::string_view router, uint64_t version);
    // The living routers that go by an earlier one.
    [[nodiscard]] std::vector<std::string> unconfirmed(uint64_t version) const;

private:
    [[nodiscard]] std::string path(std::string_view name) const;

    struct Known {
        runtime::FileIdentity file;
        upstream::Topology topology;
    };

    runtime::Os& os_;
    std::string directory_;
    mutable std::optional<Known> known_;  // what read() need not read again
    runtime::Descriptor lease_;
    runtime::Descriptor confirmation_;  // ours as a router
};

// Awaits changes in a store's directory.
class StoreWatch {
public:
    [[nodiscard]] static core::Result<std::unique_ptr<StoreWatch>> open(
        runtime::Reactor& reactor,
        const std::string& directory
    );

    // True: something has changed, or `deadline` has come. False: the fiber is stopped.
    [[nodiscard]] runtime::Task<bool> changed(core::Instant deadline);

private:
    StoreWatch(runtime::Reactor& reactor, runtime::Descriptor notifications)
        : reactor_(reactor), notifications_(reactor, std::move(notifications)) {}

    runtime::Reactor& reactor_;
    runtime::WatchedDescriptor notifications_;
};

}  // namespace cluster

#include "cluster/store.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <format>

#include "cluster/durable_file.h"

namespace cluster {

using core::ErrorKind;
using core::fail;
using upstream::Topology;

namespace {

constexpr size_t kConfirmationMax = 64;
constexpr size_t kRoutersMax = 1000;

// A file that is younger could be replaced by one that cannot be told from it: times of change come in ticks
// of some milliseconds, and an inode may be used again.
constexpr core::Duration kSettled = std::chrono::seconds(1);

uint64_t confirmed_version(const std::string& path) {
    auto text = read_small_file(path, kConfirmationMax);
    uint64_t version = 0;
    if (text && *text) {
        std::from_chars((*text)->data(), (*text)->data() + (*text)->size(), version);
    }
    return version;
}

}  // namespace

std::string Store::path(std::string_view name) const { return directory_ + "/" + std::string(name); }

core::Result<Topology> Store::read() const {
    runtime::FileStatus status;
    bool is_there = runtime::file_status_of(path("topology").c_str(), status) == 0;
    if (is_there && known_ && known_->file == status.identity) {
        return known_->topology;
    }
    known_.reset();
    TRY(auto text, read_small_file(path("topology"), upstream::kTopologyTextMax));
    if (!text) {
        return Topology{};
    }
    auto topology = upstream::read_topology(*text);
    if (!topology) {
        return fail(
            ErrorKind::invalid,
            std::format(
                "{}: the record of who is primary is damaged ({}); put a good copy in its place, or end all "
                "servers and remove it: then whoever has most becomes primary",
                path("topology"),
                topology.error().context()
            )
        );
    }
    // Seen before it was read, so that a file that came meanwhile is found to be another one.
    core::Duration changed = std::chrono::nanoseconds(status.identity.changed_ns);
    if (is_there && os_.wall_time().since_epoch - changed > kSettled) {
        known_ = Known{.file = status.identity, .topology = *topology};
    }
    return topology;
}

bool Store::try_lead() {
    if (!lease_.is_open()) {
        lease_ = try_lock(path("leader"));
    }
    return lease_.is_open();
}

core::Result<void> Store::replace(Topology next, uint64_t expected, std::string_view sentence) {
    if (!lease_.is_open()) {
        return fail(ErrorKind::conflict, "we do not lead the cluster");
    }
    TRY(Topology now, read());
    if (now.version != expected) {
        return fail(
            ErrorKind::conflict,
            std::format("version {} of the topology is recorded, not {}", now.version, expected)
        );
    }
    next.version = expected + 1;
    std::array<char, 24> time{};
    core::write_rfc3339(os_.wall_time(), time.data());
    TRY_VOID(append_durably(
        path("journal"),
        std::format(
            "{} version={} epoch={} {}\n",
            std::string_view(time.data(), time.size()),
            next.version,
            next.epoch,
            sentence
        )
    ));
    return replace_durably(path("topology"), upstream::write_topology(next));
}

core::Result<void> Store::confirm(std::string_view router, uint64_t version) {
    std::string file = path("routers/" + std::string(router));
    if (!confirmation_.is_open()) {
        TRY_VOID(make_directory(path("routers")));
        confirmation_ = try_lock(file + ".lock");
    }
    return replace_durably(file, std::to_string(version) + "\n");
}

std::vector<std::string> Store::unconfirmed(uint64_t version) const {
    std::vector<std::string> behind;
    std::error_code failed;
    std::filesystem::directory_iterator entry(path("routers"), failed);
    while (!failed && entry != std::filesystem::directory_iterator{} && behind.size() < kRoutersMax) {
        std::string file = entry->path().string();
        if (file.ends_with(".lock")) {
            std::string router = file.substr(0, file.size() - std::string_view(".lock").size());
            bool is_alive = !try_lock(file).is_open();
            if (is_alive && confirmed_version(router) < version) {
                behind.push_back(router.substr(router.rfind('/') + 1));
            }
        }
        entry.increment(failed);
    }
    return behind;
}

core::Result<std::unique_ptr<StoreWatch>> StoreWatch::open(
    runtime::Reactor& reactor,
    const std::string& directory
) {
    runtime::Descriptor notifications(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!notifications.is_open() ||
        ::inotify_add_watch(notifications.get(), directory.c_str(), IN_MOVED_TO | IN_CLOSE_WRITE) < 0) {
        return fail(core::Error::of_errno(errno, "watching " + directory));
    }
    return std::unique_ptr<StoreWatch>(new StoreWatch(reactor, std::move(notifications)));
}

runtime::Task<bool> StoreWatch::changed(core::Instant deadline) {
    std::array<char, 4096> events{};
    ssize_t count = co_await notifications_.read(events, deadline);
    if (count == -ECANCELED) {
        co_return false;
    }
    if (count < 0 && count != -ETIMEDOUT) {
        // What cannot be watched is looked at now and then.
        constexpr core::Duration kLook = std::chrono::milliseconds(50);
        co_return co_await reactor_.sleep_for(kLook) == runtime::Outcome::ready;
    }
    co_return true;
}

}  // namespace cluster

#include "node/serve/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <variant>

#include "runtime/cores.h"

namespace node {

namespace {

constexpr rlim_t kOtherDescriptors = 256;
// The socket, the channel and the pipes of an instance, and of the one that replaces it.
constexpr rlim_t kInstanceDescriptors = 12;

// A client of the SQL router, and its connections to the primary and to a replica.
constexpr rlim_t kRouterDescriptors = 3;

// What a server keeps open besides its clients and their backends.
struct OtherDescriptors {
    rlim_t needed = kOtherDescriptors;
    rlim_t program_files = 0;  // that an instance may open, whose limit cannot be above ours
    rlim_t kept_files = 0;     // of caches, which give them back when there are too few
};

OtherDescriptors other_descriptors(const DescriptorNeed& need) {
    const Config& config = need.config;
    OtherDescriptors count;
    if (config.database) {
        count.kept_files += rlim_t{config.database->limits.clients} * kRouterDescriptors;
    }
    for (const FrontPlan& plan : need.plans) {
        for (const HandlerPlan& handler : plan.handlers) {
            const auto* site = std::get_if<web::Config>(&handler);
            count.kept_files += site == nullptr ? 0 : site->cache.open_files_max * rlim_t{need.cores};
        }
    }
    if (need.is_with_program) {
        uint32_t instances = config.app->program.instances;
        count.program_files = config.app->program.limits.open_files;
        count.needed += kInstanceDescriptors * (instances == 0 ? runtime::Cores::available() : instances);
    }
    return count;
}

// Raises the limits as far as needed and allowed: root may raise the hard one.
rlim_t raise_descriptors(rlim_t needed, rlim_t hard) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlimit wanted{.rlim_cur = needed, .rlim_max = std::max({limit.rlim_max, needed, hard})};
    bool is_enough = limit.rlim_cur >= needed && limit.rlim_max >= hard;
    if (is_enough || setrlimit(RLIMIT_NOFILE, &wanted) == 0) {
        return needed;
    }
    limit.rlim_cur = std::max(limit.rlim_cur, std::min(needed, limit.rlim_max));
    [[maybe_unused]] int status = setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

}  // namespace

core::Result<uint32_t> ensure_descriptors(const DescriptorNeed& need, core::Log& log) {
    OtherDescriptors others = other_descriptors(need);
    uint32_t connections = need.connections;
    rlim_t needed = rlim_t{connections} * 2 + others.needed;
    rlim_t granted = raise_descriptors(needed + others.kept_files, others.program_files);
    if (granted >= needed) {
        return connections;
    }
    bool is_default = connections == balancer::LimitConfig{}.connections;
    if (is_default && granted > others.needed * 2) {
        connections = static_cast<uint32_t>((granted - others.needed) / 2);
        log.warn(
            "node",
            "fewer clients at a time than the default, because of the limit of file descriptors",
            {{"connections", std::to_string(connections)}, {"descriptors", std::to_string(granted)}}
        );
        return connections;
    }
    return core::fail(
        core::ErrorKind::exhausted,
        "too few file descriptors: balancer.limits.connections = " + std::to_string(connections) + " needs " +
            std::to_string(needed) + ", the hard limit is " + std::to_string(granted) +
            "; raise it (ulimit -Hn, LimitNOFILE=) or lower the key"
    );
}

}  // namespace node

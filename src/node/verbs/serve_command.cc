#include "node/verbs/serve_command.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "cluster/secrets.h"
#include "core/log.h"
#include "node/config/file.h"
#include "node/config/front_plan.h"
#include "node/config/names.h"
#include "node/config/ports.h"
#include "node/control/server.h"
#include "node/log/files.h"
#include "node/log/standard_error.h"
#include "node/log/text.h"
#include "node/log/writer.h"
#include "node/serve/control_routes.h"
#include "node/serve/control_socket.h"
#include "node/serve/descriptor_limit.h"
#include "node/serve/node.h"
#include "node/serve/override_store.h"
#include "node/serve/readiness.h"
#include "node/serve/signals.h"
#include "node/serve/site_paths.h"
#include "node/serve/site_places.h"
#include "node/serve/user_rule.h"
#include "runtime/cores.h"
#include "runtime/frame_pool.h"
#include "runtime/linux_os.h"
#include "runtime/privileges.h"
#include "runtime/task_group.h"

namespace node {

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

void write_line(std::string_view line) {
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

int refuse(int status, const std::string& sentence) {
    write_line("trilith: " + sentence + "\n");
    return status;
}

// The server that this process is to be.
core::Result<std::string> choose_server(const Config& config, const std::string& wanted) {
    std::vector<std::string_view> names;
    for (const ServerConfig& server : config.servers) {
        names.push_back(server.name);
    }
    if (wanted.empty() && names.size() == 1) {
        return std::string(names.front());
    }
    if (wanted.empty()) {
        return core::fail(
            core::ErrorKind::invalid,
            "the file has several servers: say which with --server NAME"
        );
    }
    if (std::ranges::find(names, wanted) == names.end()) {
        std::string hint = suggestion(wanted, names, "servers of the file");
        return core::fail(core::ErrorKind::not_found, "no server is named \"" + wanted + "\"" + hint);
    }
    return wanted;
}

const ServerConfig& server_of(const Config& config, const std::string& name) {
    return *std::ranges::find(config.servers, name, &ServerConfig::name);
}

// What all fronts of a server share follows the first of them.
balancer::Config shared_settings(const std::vector<FrontPlan>& plans) {
    return plans.empty() ? balancer::Config{} : plans.front().balancer;
}

core::Result<std::vector<std::unique_ptr<runtime::Reactor>>> open_reactors(runtime::Os& os, size_t count) {
    std::vector<std::unique_ptr<runtime::Reactor>> reactors;
    for (size_t index = 0; index < count; ++index) {
        TRY(auto reactor, runtime::Reactor::open(os));
        reactors.push_back(std::move(reactor));
    }
    return reactors;
}

runtime::Task<void> follow_signals(Node& node, Signals& signals) {
    for (;;) {
        auto signal = co_await signals.next();
        if (!signal) {
            co_return;
        }
        if (*signal == Signal::reload) {
            [[maybe_unused]] ReloadReply reply = node.reload();  // the node logs what became of it
        } else {
            node.shut_down();
        }
    }
}

// Tells who started us when we are ready, and that we go on working.
runtime::Task<void> tell_starter(runtime::Reactor& reactor, const Node& node, ReadyWriter& starter) {
    constexpr core::Duration kLook = std::chrono::milliseconds(100);
    bool is_told = false;
    core::Instant next_beat = reactor.now();
    while (starter.is_wanted()) {
        is_told = is_told || starter.tell(node.status());
        if (reactor.now() >= next_beat) {
            starter.beat(node.status());
            next_beat = reactor.now() + kBeatInterval;
        }
        if (co_await reactor.sleep_until(reactor.housekeeping_in(is_told ? kBeatInterval : kLook)) ==
            runtime::Outcome::cancelled) {
            co_return;
        }
    }
}

// What others than visitors reach the server by.
struct Doors {
    ControlServer& control;
    ControlServer* admin;  // null: none
    Signals& signals;
};

// Everything of one serving process, in the order in which it is made. What needs root is done before
// become_user(): directories and lock, the access log, roots, listeners, the control socket.
struct Process {
    const ServeOptions& options;
    runtime::LinuxOs os{};
    StandardError standard_error{};
    core::Log log{
        [this] { return os.wall_time(); },
        [this](std::string_view line) { standard_error.write(named_line(line, is_below_up ? server : "")); },
        [this](const core::LogEvent& event) {
        if (log_files != nullptr) {
            log_files->keep(event);
        }
    },
    };
    std::string server{};
    Users users{};
    SitePaths paths{};
    std::optional<LockedServer> lock{};
    std::optional<SocketFile> socket_file{};
    std::optional<OverrideStore> overrides{};
    std::unique_ptr<runtime::Reactor> control_reactor{};
    std::vector<std::unique_ptr<runtime::Reactor>> cores{};
    std::unique_ptr<LogFiles> log_files{};  // null: not yet, or none are wanted
    std::unique_ptr<LogWriter> access_log{};
    ReadyWriter starter = ReadyWriter::take();
    const bool is_below_up = starter.is_wanted();  // lines of several servers stand together there

    core::Result<int> run(Config config);
    core::Result<void> claim_places(const Config& config);
    core::Result<void> prepare_log_files(const LogConfig& config);
    [[nodiscard]] LogLosses log_losses() const;
    core::Result<void> look_around(const Config& config);
    core::Result<void> prepare_access_log(const std::vector<FrontPlan>& plans);
    core::Result<void> become_user(const Config& config);
    int serve_until_stopped(Node& node, Doors& doors);
    runtime::Task<void> control(Node& node, Doors& doors);
};

runtime::Task<void> Process::control(Node& node, Doors& doors) {
    ControlServer* admin = doors.admin;
    runtime::TaskGroup services(*control_reactor, 4);
    services.spawn(doors.control.serve());
    services.spawn(follow_signals(node, doors.signals));
    if (admin != nullptr) {
        services.spawn(admin->serve());
    }
    for (const net::Address& address : node.listening()) {
        log.info("node", "listening", {{"address", address.to_string()}});
    }
    if (admin != nullptr) {
        log.info("node", "admin listening", {{"address", admin->address().to_string()}});
    }
    log.info(
        "node",
        "serving",
        {{"server", server}, {"site", node.config().site}, {"control", paths.socket(server)}}
    );
    services.spawn(tell_starter(*control_reactor, node, starter));
    co_await node.serve_control();
    services.request_stop();
    co_await services.join();
}

// Directories, the lock, what the operator had changed: the site's places on the disk.
core::Result<void> Process::claim_places(const Config& config) {
    Environment environment = read_environment();
    TRY(paths, site_paths(options.directories, environment, config.site));
    TRY_VOID(check_socket_path(paths, server));
    if (runs_app(server_of(config, server))) {
        TRY_VOID(check_program_sockets(paths, server));
    }
    TRY_VOID(prepare_directories(paths, environment, users.server));
    TRY(lock, lock_server(paths, server));
    // The directory is the user's, who could lead root astray by a link.
    runtime::FileRights rights(users.server.value_or(Account{}));
    TRY(overrides, OverrideStore::open(paths.overrides_file(server)));
    if (config.cluster) {
        TRY_VOID(cluster::prepare_secrets(paths.database_dir(), os).transform([](const auto&) {}));
    }
    return {};
}

// They are opened when we are who we will be.
core::Result<void> Process::prepare_log_files(const LogConfig& config) {
    if (!config.is_enabled) {
        return {};
    }
    LogConfig placed = config;
    if (config.directory.empty()) {
        placed.directory = paths.logs_dir();
    } else {
        runtime::FileRights rights(users.server.value_or(Account{}));
        link_log_file(paths.logs_dir(), placed.directory, server);
    }
    TRY(log_files, LogFiles::create(os, log, server, placed));
    return {};
}

LogLosses Process::log_losses() const {
    return {
        .file_lines_total = log_files == nullptr ? 0 : log_files->lines_lost(),
        .standard_error_lines_total = standard_error.lines_lost(),
    };
}

// Says what of the files could not be read later; fails where nothing could be served.
core::Result<void> Process::look_around(const Config& config) {
    PlaceFindings found = look_at_places(config, options.file, server_of(config, server).roles, users);
    for (const ConfigError& warning : found.warnings) {
        log.warn("node", warning.to_string());
    }
    if (!found.problems.empty()) {
        return core::fail(core::ErrorKind::not_found, found.problems.front().to_string());
    }
    return {};
}

core::Result<void> Process::prepare_access_log(const std::vector<FrontPlan>& plans) {
    for (const FrontPlan& plan : plans) {
        const balancer::AccessLogConfig& access = plan.balancer.access_log;
        if (access.is_enabled && users.server && !access.file.empty()) {
            TRY_VOID(LogWriter::hand_over(access.file, *users.server));
        } else {
            TRY_VOID(LogWriter::check_writable(access.is_enabled ? access.file : ""));
        }
    }
    TRY(access_log, LogWriter::create(os, log, log_files.get()));
    return {};
}

// From here on we are root no more, if we were. No other thread is there yet.
core::Result<void> Process::become_user(const Config& config) {
    if (!users.warning.empty()) {
        log.warn("node", users.warning);
    }
    if (!users.server) {
        return {};
    }
    bool has_program = runs_app(server_of(config, server));
    TRY_VOID(runtime::drop_root({
        .account = *users.server,
        .kept = has_program && users.are_two() ? runtime::KeptRights::low_ports_and_users
                                               : runtime::KeptRights::low_ports,
        // The site's program may need a setuid helper such as sendmail.
        .setuid_programs = has_program ? runtime::SetuidPrograms::stay_allowed : runtime::SetuidPrograms::end,
    }));
    log.info("node", "root was given up", {{"user", users.server->name}});
    return {};
}

int Process::serve_until_stopped(Node& node, Doors& doors) {
    access_log->start();
    if (log_files != nullptr) {
        log_files->start();
    }
    {
        runtime::Cores threads("core", cores.size(), [&](size_t index) {
            cores[index]->run(node.serve_core(index));
        });
        control_reactor->run(control(node, doors));
    }
    log.info("node", "stopped", {{"server", server}});
    return node.was_cut() ? kFailed : 0;
}

core::Result<int> Process::run(Config config) {
    TRY(server, choose_server(config, options.server));
    std::vector<FrontPlan> plans = plan_fronts(config, server_of(config, server));
    TRY_VOID(check_access_logs(plans));
    balancer::Config shared = shared_settings(plans);
    uint32_t core_count = shared.threads == 0 ? runtime::Cores::available() : shared.threads;
    DescriptorNeed need{
        .config = config,
        .plans = plans,
        .connections = shared.limits.connections,
        .cores = core_count,
        .is_with_program = runs_app(server_of(config, server)),
    };
    TRY(uint32_t connections_max, ensure_descriptors(need, log));
    TRY(users, find_users(config));
    TRY_VOID(claim_places(config));
    TRY_VOID(prepare_log_files(config.log));
    TRY(control_reactor, runtime::Reactor::open(os));
    TRY(cores, open_reactors(os, core_count));
    TRY(auto control_listener, open_control_socket(*control_reactor, paths.socket(server)));
    socket_file.emplace(paths.socket(server));
    std::optional<runtime::FileRights> rights;
    if (users.server && !config.origin.is_roots_alone()) {
        // Whoever wrote the file gets at nothing by it that its user cannot get at.
        rights.emplace(*users.server);
    }
    TRY_VOID(look_around(config));
    TRY_VOID(prepare_access_log(plans));
    NodeWorld world{
        .control = *control_reactor,
        .cores = {},
        .log = log,
        .access_log = *access_log,
        .log_losses = [this] { return log_losses(); },
        .overrides = &*overrides,
        .connections_max = connections_max,
        .programs_directory = paths.programs_dir(),
        .database_directory = paths.database_dir(),
        .users = users,
    };
    for (auto& core : cores) {
        world.cores.push_back(core.get());
    }
    std::optional<net::Address> admin_at = admin_address(config, server_of(config, server));
    TRY(auto node, Node::open(std::move(config), server, options.file, world));
    rights.reset();
    ControlServer control_server(
        *control_reactor,
        std::move(control_listener),
        [&](const ControlRequest& request) { return answer_control(*node, request); }
    );
    std::optional<ControlServer> admin;
    if (admin_at) {
        TRY(auto admin_listener, net::Listener::open(*control_reactor, *admin_at, {}));
        admin.emplace(*control_reactor, std::move(admin_listener), [&](const ControlRequest& request) {
            return answer_admin(*node, request);
        });
    }
    TRY(auto signals, Signals::install(*control_reactor));
    TRY_VOID(become_user(node->config()));
    Doors doors{.control = control_server, .admin = admin ? &*admin : nullptr, .signals = *signals};
    return serve_until_stopped(*node, doors);
}

}  // namespace

int serve(const ServeOptions& options) {
    auto config = load_config(options.file);
    if (!config) {
        for (const ConfigError& error : config.error()) {
            write_line(error.to_string() + "\n");
        }
        return kWrongUse;
    }
    Process process{.options = options};
    auto status = process.run(*std::move(config));
    runtime::release_free_frames();
    if (status) {
        return *status;
    }
    // Before a server is chosen, the command line is at fault; after that, the world.
    return refuse(process.server.empty() ? kWrongUse : kFailed, status.error().context());
}

}  // namespace node

// App: what is registered, and run().
#include <sys/resource.h>
#include <trilith/app.h>
#include <unistd.h>

#include <cstdlib>

#include "core/log.h"
#include "http/text.h"
#include "runtime/frame_pool.h"
#include "runtime/linux_os.h"
#include "sdk/program.h"
#include "sdk/public_access.h"
#include "sdk/server.h"

namespace trilith {

namespace {

constexpr int kCannotServe = 1;
constexpr int kWrongUse = 2;

void write_line(std::string_view line) {
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : value;
}

// A number of its own for each connection, the pool's and the system's few: as many as we may have.
void raise_descriptors() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    [[maybe_unused]] int status = setrlimit(RLIMIT_NOFILE, &limit);
}

core::Result<uint16_t> read_port(std::string_view text, const std::string& where) {
    uint64_t port = 0;
    if (!http::parse_decimal(text, port) || port > UINT16_MAX) {
        return core::fail(
            core::ErrorKind::invalid,
            where + " must be a port, not \"" + std::string(text) + "\""
        );
    }
    return static_cast<uint16_t>(port);
}

// `--port N` or `--port=N`; anything else is the program's own business.
core::Result<void> read_arguments(std::span<char*> arguments, Options& options) {
    for (size_t at = 1; at < arguments.size(); ++at) {
        std::string_view argument = arguments[at];
        if (argument == "--port" && at + 1 < arguments.size()) {
            TRY(options.port, read_port(arguments[at + 1], "--port"));
        } else if (argument.starts_with("--port=")) {
            TRY(options.port, read_port(argument.substr(7), "--port"));
        }
    }
    return {};
}

// Port 0 is the system's choice, which Address::parse() takes for a mistake.
core::Result<net::Address> address_of(const std::string& host, uint16_t port) {
    if (port == 0) {
        return net::Address::parse_host(host);
    }
    bool is_bare_v6 = host.contains(':') && !host.starts_with('[');
    return net::Address::parse((is_bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port));
}

core::Result<std::vector<sdk::ListeningSocket>> open_sockets(runtime::Os& os, const Options& options) {
    TRY(auto sockets,
        sdk::ListeningSocket::inherit(os, environment("LISTEN_FDS"), environment("LISTEN_PID")));
    if (!sockets.empty()) {
        return sockets;
    }
    std::string host = options.address;
    uint16_t port = options.port;
    if (std::string_view given = environment("PORT"); !given.empty()) {
        TRY(port, read_port(given, "PORT"));
        host = "127.0.0.1";
    }
    TRY(net::Address address, address_of(host, port));
    TRY(auto socket, sdk::ListeningSocket::open(os, address));
    sockets.push_back(std::move(socket));
    return sockets;
}

core::Result<void> serve(const sdk::Program& program) {
    runtime::LinuxOs os;
    core::Log log([&os] { return os.wall_time(); }, write_line);
    TRY(auto sockets, open_sockets(os, program.options));
    TRY(auto server, sdk::Server::open(os, log, program, std::move(sockets)));
    TRY_VOID(server->run_until_signal());
    log.info("app", "stopped");
    return {};
}

Response answer_health(Request&) { return Response::text("ok\n"); }

}  // namespace

namespace detail {

void* allocate_frame(std::size_t size) { return runtime::allocate_frame(size); }

void free_frame(void* frame, std::size_t size) noexcept { runtime::free_frame(frame, size); }

}  // namespace detail

bool sdk::Program::complete() {
    constexpr uint32_t kHeadBytesLargest = (64 << 10) - 1;
    constexpr uint32_t kFieldsLargest = 1000;
    constexpr unsigned kThreadsLargest = 256;
    bool is_bounded = options.head_max >= 1024 && options.head_max <= kHeadBytesLargest &&
                      options.fields_max >= 1 && options.fields_max <= kFieldsLargest &&
                      options.threads >= 1 && options.threads <= kThreadsLargest &&
                      options.blocking_threads >= 1 && options.blocking_threads <= kThreadsLargest &&
                      options.connections_max >= 1;
    if (!is_bounded) {
        problems.emplace_back("Options: a number is out of its bounds");
    }
    auto made = CookieSigner::make(options.cookie_keys);
    if (made) {
        signer = *std::move(made);
    } else {
        problems.push_back("Options::cookie_keys: " + made.error().context());
    }
    if (auto checked = templates.check(); !checked) {
        problems.push_back(checked.error().context());
    }
    constexpr std::string_view kHealth = "/healthz";
    if (router.find(Method::get, kHealth).handler == nullptr) {
        auto handler = std::make_unique<detail::HandlerOf<Response (*)(Request&)>>(answer_health);
        [[maybe_unused]] auto added = router.add(Method::get, kHealth, std::move(handler));
    }
    return problems.empty();
}

App::App(Options options) : program_(std::make_unique<sdk::Program>(std::move(options))) {}

App::~App() = default;

App& App::add(Method method, std::string_view pattern, std::unique_ptr<detail::Handler> handler) {
    if (auto added = program_->router.add(method, pattern, std::move(handler)); !added) {
        program_->problems.push_back(added.error().context());
    }
    return *this;
}

App& App::add_template(std::string_view name, std::string_view text) {
    if (auto added = program_->templates.add(name, text); !added) {
        program_->problems.push_back(added.error().context());
    }
    return *this;
}

App& App::use(Database& database) {
    sdk::DatabaseSettings& settings = sdk::PublicAccess::settings(database);
    if (!settings.problem.empty()) {
        program_->problems.push_back(settings.problem);
    }
    if (settings.place) {
        program_->problems.emplace_back("a Database is used twice");
    }
    settings.place = program_->databases.size();
    program_->databases.push_back(&settings);
    return *this;
}

App& App::add_chore(std::chrono::milliseconds pause, std::function<Task<void>(Request&)> call) {
    if (pause <= std::chrono::milliseconds::zero()) {
        program_->problems.emplace_back("App::every() needs a pause above 0");
    }
    program_->chores.push_back({.pause = pause, .call = std::move(call)});
    return *this;
}

int App::run(int argc, char** argv) {
    auto arguments = read_arguments({argv, static_cast<size_t>(argc)}, program_->options);
    if (!arguments) {
        program_->problems.push_back(arguments.error().context());
    }
    if (!program_->complete()) {
        for (const std::string& problem : program_->problems) {
            write_line("trilith::app: " + problem + "\n");
        }
        return kWrongUse;
    }
    raise_descriptors();
    auto served = serve(*program_);
    runtime::release_free_frames();
    if (!served) {
        write_line("trilith::app: " + served.error().context() + "\n");
        return kCannotServe;
    }
    return 0;
}

}  // namespace trilith

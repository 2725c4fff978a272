// The socket of `trilith up`: who is killed, who is stopped, and that who is stopped goes on.
#include "node/up/control.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>

#include <doctest/doctest.h>

#include "core/metrics.h"
#include "node/control/client.h"
#include "runtime/cores.h"
#include "runtime/linux_os.h"
#include "runtime/process.h"
#include "runtime/temporary_directory.h"

namespace node {

namespace {

using namespace std::chrono_literals;

// A process of a server: a shell that becomes the parent of one that waits.
class Family {
public:
    Family() {
        runtime::SpawnRequest request{
            .executable = "/bin/sh",
            .arguments = {"sh", "-c", "sleep 600 & wait"},
            .environment = {"PATH=/bin:/usr/bin"},
            .kept = {},
        };
        runtime::Descriptor nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
        request.standard_output = request.standard_error = nothing.get();
        parent_ = runtime::spawn(request);
        REQUIRE(parent_ > 0);
        std::vector<pid_t> children;
        while (children.empty()) {
            children = runtime::descendants_of(parent_);
        }
        child_ = children.front();
    }

    ~Family() {
        ::kill(child_, SIGKILL);
        ::kill(parent_, SIGKILL);
        ::waitpid(parent_, nullptr, 0);
    }

    Family(const Family&) = delete;
    Family& operator=(const Family&) = delete;

    [[nodiscard]] pid_t parent() const { return parent_; }
    [[nodiscard]] pid_t child() const { return child_; }

private:
    pid_t parent_ = 0;
    pid_t child_ = 0;
};

char state_of(pid_t pid) {
    std::string text = runtime::read_system_file("/proc/" + std::to_string(pid) + "/stat");
    size_t at = text.rfind(')');
    return at == text.npos ? 'X' : text[at + 2];
}

// Neither ended nor stopped: it waits, or has just been woken.
bool is_alive(pid_t pid) { return state_of(pid) == 'S' || state_of(pid) == 'R'; }

// `up` in the test's thread, somebody who asks in another.
class Asked {
public:
    explicit Asked(pid_t server) : server_(server) {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGUSR2);
        sigprocmask(SIG_BLOCK, &signals_, nullptr);
        make();
    }

    void make() {
        control_.reset();
        control_.emplace(UpControl::World{
            .os = os_,
            .log = log_,
            .identity = {.site = "a", .pid = 1, .file = "/f", .state_dir = "/s", .servers = {}, .frozen = {}},
            .signals = signals_,
            .servers = [this] { return std::vector<UpServerStatus>{{"web1", server_, true}}; },
        });
        control_->listen_once(path());
    }

    [[nodiscard]] std::string path() const { return directory_.path() + "/up.sock"; }

    ControlAnswer ask(http::Method method, const std::string& where, const std::string& body = "") {
        std::optional<core::Result<ControlAnswer>> answer;
        core::Counter over;
        {
            runtime::Cores asking("ask", 1, [&](size_t) {
                answer = call(os_, path(), {.method = method, .path = where, .body = body}, 20s);
                over.add();
            });
            while (over.value() == 0) {
                [[maybe_unused]] int number = control_->wait(1ms);
            }
        }
        REQUIRE_MESSAGE(answer->has_value(), (*answer).error().context());
        return **answer;
    }

    int order(const std::string& verb, const UpDeed& deed) {
        return ask(http::Method::post, "/v1/" + verb, format_up_deed(deed)).status;
    }

    // Turns until it is so, at most half a minute.
    template <class Condition>
    bool becomes(Condition condition) {
        core::Instant end = os_.now() + 30s;
        while (!condition() && os_.now() < end) {
            [[maybe_unused]] int number = control_->wait(1ms);
        }
        return condition();
    }

    runtime::LinuxOs os_;
    runtime::TemporaryDirectory directory_;
    core::Log log_{[] { return core::WallTime(); }, [](std::string_view) {}};
    pid_t server_;
    sigset_t signals_{};
    std::optional<UpControl> control_;
};

}  // namespace

TEST_CASE("it says whom it runs, on a socket for its user alone, and nothing else") {
    Asked up(::getpid());
    struct stat file{};
    REQUIRE(::stat(up.path().c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0600);
    ControlAnswer answer = up.ask(http::Method::get, "/v1/status");
    auto status = parse_up_status(answer.body);
    REQUIRE(status);
    CHECK(status->servers == std::vector<UpServerStatus>{{"web1", ::getpid(), true}});
    CHECK(up.ask(http::Method::get, "/v1/nothing").status == 404);
    CHECK(up.ask(http::Method::get, "/v1/kill").status == 405);
    CHECK(up.ask(http::Method::post, "/v1/status", "{}").status == 405);
    CHECK(up.ask(http::Method::post, "/v1/kill", "nonsense").status == 400);
    up.control_.reset();
    CHECK(::stat(up.path().c_str(), &file) != 0);
}

TEST_CASE("a signal ends its wait, and is given") {
    Asked up(::getpid());
    ::kill(::getpid(), SIGUSR2);
    int number = -1;
    CHECK(up.becomes([&] {
        number = number > 0 ? number : up.control_->wait(1ms);
        return number > 0;
    }));
    CHECK(number == SIGUSR2);
}

TEST_CASE("only what descends from a server that runs is killed") {
    Family family;
    Family stranger;
    Asked up(family.parent());
    pid_t child = family.child();
    CHECK(up.order("kill", {"web2", 0, {}}) == 404);
    CHECK(up.order("kill", {"web1", stranger.child(), {}}) == 409);
    CHECK(up.order("kill", {"web1", ::getpid(), {}}) == 409);
    CHECK(is_alive(stranger.child()));
    CHECK(up.order("kill", {"web1", child, {}}) == 200);
    CHECK(up.becomes([&] { return state_of(child) == 'Z' || state_of(child) == 'X'; }));
    up.server_ = stranger.parent();
    CHECK(up.order("kill", {"web1", 0, {}}) == 200);
    CHECK(up.becomes([&] { return state_of(stranger.parent()) == 'Z'; }));
    up.server_ = 0;
    CHECK(up.order("kill", {"web1", 0, {}}) == 409);
}

TEST_CASE("what is stopped goes on by order, by itself in time, and when `up` ends") {
    Family family;
    Asked up(family.parent());
    pid_t child = family.child();
    auto is_stopped = [&] { return state_of(child) == 'T'; };
    auto goes_on = [&] { return is_alive(child); };
    CHECK(up.order("freeze", {"web1", child, {}}) == 400);
    CHECK(up.order("freeze", {"web1", 0, 5s}) == 400);

    CHECK(up.order("freeze", {"web1", child, 60s}) == 200);
    CHECK(up.becomes(is_stopped));
    CHECK(up.order("freeze", {"web1", child, 60s}) == 409);
    CHECK(parse_up_status(up.ask(http::Method::get, "/v1/status").body)->frozen.size() == 1);
    CHECK(up.ask(http::Method::post, "/v1/thaw", "{}").status == 200);
    CHECK(up.becomes(goes_on));

    CHECK(up.order("freeze", {"web1", child, 1s}) == 200);
    CHECK(up.becomes(is_stopped));
    CHECK(up.becomes(goes_on));
    CHECK(parse_up_status(up.ask(http::Method::get, "/v1/status").body)->frozen.empty());

    CHECK(up.order("freeze", {"web1", child, 60s}) == 200);
    CHECK(up.becomes(is_stopped));
    up.control_.reset();
    core::Instant end = up.os_.now() + 30s;
    while (!goes_on() && up.os_.now() < end) {
    }
    CHECK(goes_on());
}

TEST_CASE("no more than sixteen are stopped at a time") {
    std::array<Family, 17> families;
    Asked up(::getpid());
    for (size_t at = 0; at < 16; ++at) {
        CHECK(up.order("freeze", {"web1", families[at].child(), 60s}) == 200);
    }
    CHECK(up.order("freeze", {"web1", families[16].child(), 60s}) == 409);
    CHECK(is_alive(families[16].child()));
    CHECK(up.ask(http::Method::post, "/v1/thaw", "{}").status == 200);
    CHECK(up.order("freeze", {"web1", families[16].child(), 60s}) == 200);
}

}  // namespace node

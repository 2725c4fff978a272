// The supervisor with real processes: what a program is given, how it is kept running, how it ends.
#include "app/supervisor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include <doctest/doctest.h>

#include "app/sample_site.h"

namespace app {
namespace {

using runtime::Task;

Task<void> check_descriptors(SampleSite& site) {
    co_await site.until_up(1);
    std::string seen = co_await site.get(0, "/descriptors");
    CHECK(seen == "0 1 2 3 LISTEN_FDS=1 pid names=http session=own");
    CHECK(
        site.surroundings.published_now() ==
        std::vector<upstream::BackendConfig>{
            {.name = "app-1", .address = site.supervisor->status()[0].address}
        }
    );
}

TEST_CASE("a program gets its listening socket as descriptor 3, its streams, and nothing else") {
    for (Listen listen : {Listen::unix_socket, Listen::tcp}) {
        SampleSite site;
        site.config.listen = listen;
        CHECK(site.run(check_descriptors) == "");
    }
}

Task<void> check_socket_file(SampleSite& site) {
    co_await site.until_up(1);
    struct stat file{};
    std::string path = site.directory + "/app-s-1.1.sock";
    CHECK(::stat(path.c_str(), &file) == 0);
    CHECK(S_ISSOCK(file.st_mode));
    CHECK((file.st_mode & 07777) == 0600);
    CHECK(site.supervisor->status()[0].address.to_string() == "unix:" + path);
}

TEST_CASE("the unix socket is ours alone, and is removed at the end") {
    SampleSite site;
    CHECK(site.run(check_socket_file) == "");
    CHECK(std::filesystem::is_empty(site.directory));
}

Task<void> check_port(SampleSite& site) {
    co_await site.until_up(1);
    std::string port = std::to_string(site.supervisor->status()[0].address.port());
    CHECK(co_await site.get(0, "/descriptors") == "0 1 2 LISTEN_FDS= wrong pid names= session=own");
    CHECK(site.supervisor->status()[0].address.to_string() == "127.0.0.1:" + port);
}

TEST_CASE("a program that only knows a port is told a free one") {
    SampleSite site;
    site.config.listen = Listen::port;
    CHECK(site.run(check_port) == "");
}

Task<void> crash_and_ask(SampleSite& site) {
    co_await site.until_up(1);
    std::string before = co_await site.get(0, "/pid");
    CHECK(co_await site.get(0, "/crash") == "");
    // The program is dead or dying now: the connection waits for the next one.
    std::string after = co_await site.get(0, "/pid");
    CHECK(after != "");
    CHECK(after != before);
    co_await site.until_up(1);
    CHECK(site.surroundings.published.size() == 1);
    CHECK(site.supervisor->status()[0].restarts == 1);
    CHECK(site.supervisor->status()[0].last_end == "exited with status 3");
    CHECK(site.logged("an instance ended: exited with status 3; it is started again in 10ms") == 1);
    CHECK(site.logged("last_lines=\"cannot go on\"") == 1);
}

TEST_CASE("a crash refuses nobody: what connects meanwhile is answered by the next run") {
    SampleSite site;
    CHECK(site.run(crash_and_ask) == "");
}

Task<void> crash_without_socket(SampleSite& site) {
    co_await site.until_up(1);
    net::Address address = site.supervisor->status()[0].address;
    CHECK(co_await site.get(0, "/crash") == "");
    auto lost = co_await fetch(*site.reactor, address, "/pid", 1s);
    CHECK_FALSE(lost);
    co_await site.until("it is taken out", [&] {
        return site.surroundings.published.size() >= 2 && site.surroundings.published[1].empty();
    });
}

TEST_CASE("the control: where the program opens its port itself, a crash refuses and takes it out") {
    SampleSite site;
    site.config.listen = Listen::port;
    site.config.restart.first_pause = 500ms;
    CHECK(site.run(crash_without_socket) == "");
}

std::vector<std::string> names_of(const std::vector<upstream::BackendConfig>& endpoints) {
    std::vector<std::string> names;
    for (const auto& endpoint : endpoints) {
        names.push_back(endpoint.name);
    }
    return names;
}

using Names = std::vector<std::string>;

Task<void> crash_for_long(SampleSite& site) {
    co_await site.until_up(2);
    CHECK(co_await site.get(0, "/crash") == "");
    co_await site.until("it is taken out", [&] {
        return names_of(site.surroundings.published_now()) == Names{"app-2"};
    });
    co_await site.until("it is back", [&] {
        return names_of(site.surroundings.published_now()) == Names{"app-1", "app-2"};
    });
    CHECK(site.supervisor->healthy_count() == 2);
}

TEST_CASE("one that is down for long is taken out while another is up, until it is up again") {
    SampleSite site;
    site.config.instances = 2;
    site.config.restart.first_pause = 1100ms;
    site.config.restart.longest_pause = 1100ms;
    CHECK(site.run(crash_for_long) == "");
}

Task<void> spawn_and_crash(SampleSite& site) {
    co_await site.until_up(1);
    pid_t grandchild = co_await site.spawn_grandchild(0);
    CHECK(is_running(grandchild));
    CHECK(co_await site.get(0, "/crash") == "");
    co_await site.until("the grandchild is dead", [&] { return !is_running(grandchild); });
    co_await site.until_up(1);
    grandchild = co_await site.spawn_grandchild(0);
    CHECK(is_running(grandchild));
    site.supervisor->request_stop();
    co_await site.until("the grandchild is dead", [&] { return !is_running(grandchild); });
}

TEST_CASE("what left the program's session dies with it, after a crash and at the end") {
    SampleSite site;
    CHECK(site.run(spawn_and_crash) == "");
}

Task<void> stop_in_order(SampleSite& site) {
    co_await site.until_up(2);
    CHECK(site.surroundings.published_now().size() == 2);
}

TEST_CASE("at the end every instance is asked, and may end by itself") {
    SampleSite site;
    site.config.instances = 2;
    CHECK(site.run(stop_in_order) == "");
    CHECK(site.logged("an instance has stopped: killed by signal 15 (SIGTERM)") == 2);
}

TEST_CASE("the end is as orderly when the supervisor's fiber is stopped") {
    SampleSite site;
    site.config.instances = 2;
    site.is_fiber_stopped = true;
    CHECK(site.run(stop_in_order) == "");
    CHECK(site.logged("an instance has stopped: killed by signal 15 (SIGTERM)") == 2);
}

TEST_CASE("what does not end in time is killed") {
    SampleSite site;
    site.config.command.emplace_back("ignore-term");
    site.config.instances = 2;
    site.config.stop.within = 50ms;
    core::Instant began = site.reactor->now();
    CHECK(site.run(stop_in_order) == "");
    CHECK(site.logged("an instance has stopped: killed by signal 9 (SIGKILL)") == 2);
    CHECK(site.os.now() - began < kTestPatience);
}

Task<void> await_ends(SampleSite& site) {
    co_await site.until("it has ended often", [&] { return site.supervisor->status()[0].restarts >= 5; });
    CHECK(site.supervisor->healthy_count() == 0);
    CHECK(site.surroundings.published.empty());
}

TEST_CASE("a crash loop is an error once, with the program's last words and the cure") {
    SampleSite site;
    site.config.command = {"/bin/sh", "-c", "echo opening; echo 'cannot open the database' >&2; exit 4"};
    CHECK(site.run(await_ends) == "");
    CHECK(site.logged(" error app: ") == 1);
    CHECK(site.logged("an instance did not become healthy: exited with status 4") == 1);
    CHECK(site.logged("cannot open the database\"") >= 1);
    CHECK(site.logged("run [app] command by hand") == 1);
}

// Executable, without a first line that names an interpreter.
void make_script(const std::string& path) {
    runtime::Descriptor file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
    REQUIRE(runtime::write_some(file.get(), std::string_view("exit 0\n")) == 7);
    file.close();
}

TEST_CASE("a program that cannot be run is told with its key, the reason and the cure") {
    struct Row {
        std::vector<std::string> command;
        std::string directory;
        std::string_view sentence;
    };

    const std::vector<Row> rows{
        {{"/no/such/program"},
         "",
         R"([app] command: cannot run "/no/such/program": No such file or directory)"},
        {{"no-such-program"}, "", R"([app] command: cannot run "no-such-program": No such file or directory)"
        },
        {{"/dev/null"}, "", R"([app] command: cannot run "/dev/null": Permission denied; it must be a file)"},
        {{"./script"}, "", R"([app] command: cannot run "./script": Exec format error; a script must begin)"},
        {{"/bin/sh"}, "/no/such", R"([app] directory: cannot enter "/no/such": No such file or directory)"},
    };
    for (const Row& row : rows) {
        SampleSite site;
        std::string script = site.directory + "/script";
        make_script(script);
        site.config.command = row.command;
        site.config.directory = row.directory;
        CHECK(site.run(await_ends) == "");
        INFO(site.log_text());
        CHECK(site.logged("an instance did not become healthy: " + std::string(row.sentence)) == 1);
        CHECK(site.logged(" error app: ") == 1);
    }
}

Task<void> fail_at_gate(SampleSite& site) {
    co_await site.until("it has begun, and has failed", [&] {
        return site.logged("line=\"I only wait\"") > 0 && site.supervisor->status()[0].restarts > 0;
    });
}

TEST_CASE("a program that never answers fails at its gate, and its key and cure are told") {
    SampleSite site;
    site.config.command = {"/bin/sh", "-c", "echo I only wait; while :; do sleep 1000; done"};
    site.config.health.within = 300ms;
    site.config.stop.within = 50ms;
    CHECK(site.run(fail_at_gate) == "");
    CHECK(site.logged("no good answer to GET /healthz within 300ms") >= 1);
    CHECK(site.logged("the program must serve HTTP on the socket that it inherits") == 1);
}

Task<void> hang(SampleSite& site) {
    co_await site.until_up(1);
    make_script(site.directory + "/broken");
    co_await site.until("it was ended", [&] { return site.supervisor->status()[0].restarts >= 1; });
    CHECK(site.supervisor->status()[0].last_end.starts_with("it hung: no good answer to GET /healthz for 50")
    );
    std::filesystem::remove(site.directory + "/broken");
    co_await site.until_up(1);
}

TEST_CASE("one that passes no check for restart_after is ended, killed if need be, and started again") {
    for (bool is_stubborn : {false, true}) {
        SampleSite site;
        site.config.command = {site.sample, "serve", "broken-if", site.directory + "/broken"};
        if (is_stubborn) {
            site.config.command.emplace_back("ignore-term");
        }
        site.config.health.restart_after = 50ms;
        site.config.health.running.interval = 10ms;
        site.config.stop.within = 50ms;
        CHECK(site.run(hang) == "");
        CHECK(site.logged("an instance ended: it hung: ") == 1);
    }
}

Task<void> fill_memory(SampleSite& site) {
    co_await site.until("it was killed", [&] { return site.supervisor->status()[0].restarts >= 1; });
    CHECK(site.supervisor->status()[0].last_end.starts_with("over its memory limit of 32MiB"));
}

TEST_CASE("a program over its memory limit is killed, and that is why") {
    SampleSite site;
    site.config.command = {
        "/bin/sh",
        "-c",
        "x=$(head -c 100000000 /dev/zero | tr '\\0' a); while :; do sleep 9; done"
    };
    site.config.limits.memory = 32 << 20;
    CHECK(site.run(fill_memory) == "");
    CHECK(site.logged("over its memory limit of 32MiB") >= 1);
    CHECK(site.logged("raise [app] limits.memory") == 1);
}

TEST_CASE("one that takes memory faster than anybody looks meets a wall") {
    SampleSite site;
    site.config.command = {"/bin/sh", "-c", "x=aaaaaaaa; while :; do x=$x$x; done"};
    site.config.limits.memory = 16 << 20;
    CHECK(site.run(await_ends) == "");
    CHECK(site.supervisor == nullptr);
}

Task<void> await_output(SampleSite& site) {
    co_await site.until("its last line is there", [&] { return site.logged("line=by-name") > 0; });
}

TEST_CASE("as root the program runs as its user, who may open its own output by name") {
    if (::geteuid() != 0) {
        return;
    }
    SampleSite site;
    ::chmod(site.directory.c_str(), 0755);
    site.options.user = runtime::account_named("nobody");
    site.config
        .command = {"/bin/sh", "-c", "id -un; id -u; echo $HOME; echo by-name > /dev/stdout; exec sleep 99"};
    CHECK(site.run(await_output) == "");
    CHECK(site.logged("line=" + site.options.user->name) == 1);
    CHECK(site.logged("line=" + std::to_string(site.options.user->uid)) == 1);
    CHECK(site.logged("line=" + site.options.user->home) >= 1);
}

}  // namespace
}  // namespace app

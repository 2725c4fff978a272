// The log as files: bounded, whole over a full disk, and read back as one stream across rotations.
#include "node/log/files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <format>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "node/log/full_disk.h"
#include "node/log/reader.h"
#include "node/log/text.h"
#include "node/log/up_log.h"
#include "runtime/linux_os.h"
#include "runtime/temporary_directory.h"

namespace node {

namespace {

std::string line_of(int number) {
    return std::format(
        "{{\"time\":\"2026-01-01T00:00:00.{:03}Z\",\"tier\":\"app\",\"number\":{}}}\n",
        number % 1000,
        number
    );
}

std::vector<int> numbers(const std::vector<LogLine>& lines) {
    std::vector<int> found;
    for (const LogLine& line : lines) {
        found.push_back(std::stoi(line.text.substr(line.text.find("\"number\":") + 9)));
    }
    return found;
}

std::vector<int> range(int first, int last) {
    std::vector<int> all;
    for (int number = first; number <= last; ++number) {
        all.push_back(number);
    }
    return all;
}

}  // namespace

TEST_CASE("a full file is renamed, and no more than are to be kept stay") {
    runtime::TemporaryDirectory directory;
    const size_t length = line_of(100).size();
    RotatedFile file(directory / "logs/a.log", {.size_max = 10 * length, .kept = 2});
    for (int number = 100; number < 147; ++number) {
        REQUIRE(file.append(line_of(number)));
    }
    for (const char* name : {"logs/a.log", "logs/a.log.1", "logs/a.log.2"}) {
        CHECK(std::filesystem::exists(directory / name));
    }
    CHECK_FALSE(std::filesystem::exists(directory / "logs/a.log.3"));
    LogReader reader(directory / "logs/a.log");
    CHECK(numbers(reader.read_last({}, 1000)) == range(120, 146));
    struct stat status{};
    REQUIRE(::stat((directory / "logs/a.log").c_str(), &status) == 0);
    CHECK(static_cast<size_t>(status.st_size) == 7 * length);
    CHECK((status.st_mode & 0777) == 0640);
    // One that was there is gone on with.
    RotatedFile again(directory / "logs/a.log", {.size_max = 10 * length, .kept = 0});
    REQUIRE(again.append(line_of(147)));
    CHECK(numbers(LogReader(directory / "logs/a.log").read_last({}, 3)) == range(145, 147));
    for (int number = 148; number < 152; ++number) {
        REQUIRE(again.append(line_of(number)));
    }
    CHECK(numbers(LogReader(directory / "logs/a.log").read_last({}, 1)) == range(151, 151));
}

TEST_CASE("a full disk leaves whole lines, and a directory may come back") {
    runtime::TemporaryDirectory directory;
    const size_t length = line_of(100).size();
    RotatedFile file(directory / "logs/a.log", {.size_max = 1 << 20, .kept = 1});
    REQUIRE(file.append(line_of(100)));
    {
        FullDisk narrow(length + 10);
        CHECK_FALSE(file.append(line_of(101)));
        CHECK(directory.read("logs/a.log") == line_of(100));
    }
    REQUIRE(file.append(line_of(102)));
    CHECK(directory.read("logs/a.log") == line_of(100) + line_of(102));

    RotatedFile other(directory / "b/b.log", {.size_max = 1 << 20, .kept = 1});
    directory.write("b", "in the way");
    CHECK_FALSE(other.append(line_of(1)));
    std::filesystem::remove(directory / "b");
    CHECK(other.append(line_of(2)));
    CHECK(directory.read("b/b.log") == line_of(2));
}

TEST_CASE("what is followed comes once and in order, however often the file is rotated meanwhile") {
    runtime::TemporaryDirectory directory;
    const size_t length = line_of(100).size();
    RotatedFile file(directory / "a.log", {.size_max = 3 * length, .kept = 20});
    LogReader reader(directory / "a.log");
    CHECK(reader.read_last({}, 10).empty());
    std::vector<int> seen;
    int number = 100;
    for (int step : {1, 2, 3, 0, 7, 1, 12, 4, 1}) {
        for (int at = 0; at < step; ++at) {
            REQUIRE(file.append(line_of(number++)));
        }
        for (int one : numbers(reader.read_new({}))) {
            seen.push_back(one);
        }
    }
    CHECK(seen == range(100, number - 1));
    CHECK(numbers(LogReader(directory / "a.log").read_last({}, 5)) == range(number - 5, number - 1));
    // A line that is not whole yet waits for its end.
    directory.write("c.log", "{\"time\":\"x\",\"number\":1}\n{\"number\":");
    LogReader other(directory / "c.log");
    CHECK(numbers(other.read_new({})) == range(1, 1));
}

TEST_CASE("a request's id and a tier choose lines") {
    runtime::TemporaryDirectory directory;
    directory.write(
        "a.log",
        "{\"time\":\"1\",\"tier\":\"web\",\"request_id\":\"r1\",\"number\":1}\n"
        "{\"time\":\"2\",\"tier\":\"app\",\"line\":\"did it request=r1\",\"number\":2}\n"
        "{\"time\":\"3\",\"tier\":\"app\",\"line\":\"\\\"tier\\\":\\\"web\\\" r2\",\"number\":3}\n"
    );
    auto read = [&](const LogFilter& filter) {
        return numbers(LogReader(directory / "a.log").read_last(filter, 9));
    };
    CHECK(read(LogFilter("", "r1")) == range(1, 2));
    CHECK(read(LogFilter("web", "")) == range(1, 1));
    CHECK(read(LogFilter("app", "r1")) == range(2, 2));
    CHECK(read(LogFilter("database", "")).empty());
}

TEST_CASE("a line stands as people read it, and steers no terminal") {
    CHECK(
        log_text(
            R"({"time":"T","server":"web1","tier":"app","level":"info","event":"output","instance":"app-1",)"
            R"("stream":"stdout","line":"a b"})",
            Colour::none
        ) == "T web1 app app-1: a b\n"
    );
    CHECK(
        log_text(
            R"({"time":"T","server":"lb1","tier":"node","level":"warn","event":"it is so",)"
            R"("why":"a b","n":"1"})",
            Colour::none
        ) == "T lb1 node warn: it is so why=\"a b\" n=1\n"
    );
    CHECK(
        log_text(
            R"({"server":"lb1","time":"T","tier":"balancer","request_id":"r1","client":"1.2.3.4",)"
            R"("method":"GET","host":"a.test","path":"/x","status":200,"bytes_out":5,"backend":"web1",)"
            R"("total_us":1300,"ended":"complete"})",
            Colour::none
        ) == "T lb1 balancer GET a.test/x 200 1.3ms 5B backend=web1 client=1.2.3.4 request=r1\n"
    );
    std::string steered =
        log_text(R"({"time":"T","tier":"app","level":"error","event":"\u001b[2J\u0007"})", Colour::ansi);
    CHECK(std::ranges::count(steered, '\x1b') == 2);
    CHECK_FALSE(steered.contains('\a'));
    CHECK(log_text("no json", Colour::none) == "no json\n");
}

TEST_CASE("events and requests are kept with their server's name, and what is lost is told once") {
    runtime::TemporaryDirectory directory;
    runtime::LinuxOs os;
    std::string told;
    core::Log log([&] { return os.wall_time(); }, [&](std::string_view line) { told += line; });
    LogConfig config{.directory = directory / "logs"};
    {
        auto files = LogFiles::create(os, log, "web1", config);
        REQUIRE(files);
        const core::LogField field{.key = "k", .value = "v \"w\""};
        (*files)->keep({.time = {}, .component = "node", .event = "began", .fields = std::span(&field, 1)});
        (*files)->keep_requests("{\"time\":\"x\"}\n{\"a\":1}\n");
        (*files)->start();
    }
    CHECK(
        directory.read("logs/web1.log") ==
        "{\"time\":\"1970-01-01T00:00:00.000Z\",\"server\":\"web1\",\"tier\":\"node\",\"level\":\"info\","
        "\"event\":\"began\",\"k\":\"v "
        "\\\"w\\\"\"}\n{\"server\":\"web1\",\"time\":\"x\"}\n{\"server\":\"web1\",\"a\":1}\n"
    );
    CHECK(told.empty());
    config.directory = directory / "logs/web1.log/below";
    auto files = LogFiles::create(os, log, "web1", config);
    REQUIRE(files);
    (*files)->keep_requests("{\"a\":1}\n{\"a\":2}\n");
    (*files)->keep_requests("{\"a\":3}\n");
    (*files)->start();
    files->reset();
    CHECK(told.contains("error log: the log file cannot be written: lines are lost reason="));
    CHECK(std::ranges::count(told, '\n') == 1);
}

TEST_CASE("what waits for the disk is bounded, and what is above that is counted") {
    runtime::TemporaryDirectory directory;
    runtime::LinuxOs os;
    core::Log log([&] { return os.wall_time(); }, [](std::string_view) {});
    auto files = LogFiles::create(os, log, "web1", {.directory = directory / "logs", .size_max = 1 << 30});
    REQUIRE(files);
    const std::string line = "{\"a\":\"" + std::string(LogFiles::kPendingBytesMax / 4 - 100, 'x') + "\"}\n";
    for (int number = 0; number < 10; ++number) {
        (*files)->keep_requests(line);  // nobody writes yet
    }
    (*files)->start();
    const core::Instant end = os.now() + std::chrono::seconds(30);
    while ((*files)->lines_lost() == 0 && os.now() < end) {
    }
    CHECK((*files)->lines_lost() == 6);
    files->reset();
    const size_t server = std::string_view("\"server\":\"web1\",").size();
    CHECK(std::filesystem::file_size(directory / "logs/web1.log") == 4 * (line.size() + server));
}

TEST_CASE("what up cannot write yet is bounded, and the newest of it is kept") {
    runtime::TemporaryDirectory directory;
    const std::string folder = directory / "later/logs";  // whose parent is missing, too
    UpLog log({}, folder, std::nullopt);
    auto keep = [&](const std::string& event) {
        log.keep({.time = {}, .component = "up", .event = event, .fields = {}});
    };
    for (int number = 0; number < 600; ++number) {
        keep("short");
    }
    for (int number = 0; number < 40; ++number) {
        keep(std::string(8 << 10, 'x'));
    }
    std::filesystem::create_directories(folder);
    keep("the last");
    const std::string kept = directory.read("later/logs/up.log");
    CHECK(kept.size() <= (64 << 10) + (1 << 10));
    CHECK(kept.contains("the last"));
    CHECK_FALSE(kept.contains("short"));
}

}  // namespace node

// For tests: a database server that answers by a script, on a thread of its own. It lets everybody in and
// keeps what it was asked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trilith::sdk {

// What a statement's or a query's text is answered with.
struct FakeAnswer {
    enum class Way : uint8_t {
        packets,  // these, whole
        hangs,    // these when release() says so; ERR 1317 when it is killed
        breaks,   // the connection is closed
    };

    Way way = Way::packets;
    std::string packets{};
};

// An OK; with a GTID, as of a write.
[[nodiscard]] std::string fake_ok(std::string_view gtid = {});
[[nodiscard]] std::string fake_error(uint16_t number, std::string_view sqlstate, std::string_view message);
// One column of texts.
[[nodiscard]] std::string fake_texts(std::string_view column, const std::vector<std::string>& rows);
// One column of whole numbers.
[[nodiscard]] std::string fake_numbers(std::string_view column, const std::vector<int64_t>& rows);

class FakeDatabase {
public:
    // What the script does not name is answered with an OK.
    explicit FakeDatabase(std::map<std::string, FakeAnswer, std::less<>> script);
    ~FakeDatabase();
    FakeDatabase(const FakeDatabase&) = delete;
    FakeDatabase& operator=(const FakeDatabase&) = delete;

    [[nodiscard]] std::string url() const;

    // All so far, in their order: "login", "prepare TEXT", "execute TEXT", "close", or a query's text. Of an
    // execution's payload the bytes follow in sent().
    [[nodiscard]] std::vector<std::string> heard();
    [[nodiscard]] size_t count(std::string_view what);
    // The payload of the last execution.
    [[nodiscard]] std::string sent();
    // Awaits that it was heard so often; fails the test after kPatienceSeconds.
    void await(std::string_view what, size_t count = 1);

    // What hangs is answered.
    void release();
    void set_answer(const std::string& text, FakeAnswer answer);
    // Closes all connections, as a server does that is started again.
    void close_connections();

private:
    struct Running;

    std::unique_ptr<Running> running_;
};

}  // namespace trilith::sdk

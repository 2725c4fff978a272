#include "drill/drill_table.h"

#include <charconv>
#include <format>

namespace drill {

using core::ErrorKind;

namespace {

constexpr core::Duration kAgain = std::chrono::milliseconds(50);
// Sessions of one router may read from different replicas: so many must see the table.
constexpr int kLooksAPlace = 4;
constexpr mariadb::QueryBounds kLedgerBounds{.rows_max = 10'000'000, .bytes_max = size_t{512} << 20};

// Without a unique key over `id`, so that a write that was done twice is seen.
constexpr std::string_view kMake =
    "CREATE TABLE IF NOT EXISTS trilith_drill (entry BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY "
    "KEY, "
    "id BIGINT UNSIGNED NOT NULL, value BIGINT UNSIGNED NOT NULL, KEY by_id (id)) ENGINE=InnoDB";
// A read that locks is the primary's.
constexpr std::string_view kReadAll = "SELECT id, value FROM trilith_drill ORDER BY entry LOCK IN SHARE MODE";

core::Error error_of(const mariadb::ServerFailure& failure, std::string_view what) {
    std::string number = failure.is_from_server() ? std::format(" (error {})", failure.number) : "";
    return {ErrorKind::io, std::format("{}: {}{}", what, failure.message, number)};
}

uint64_t number_of(const std::string* text) {
    uint64_t number = 0;
    if (text != nullptr) {
        std::from_chars(text->data(), text->data() + text->size(), number);
    }
    return number;
}

}  // namespace

runtime::Task<mariadb::ServerResult<mariadb::QueryAnswer>> DrillTable::ask(
    std::string_view text,
    core::Instant deadline
) {
    mariadb::ServerFailure last = mariadb::failure(ErrorKind::refused, "no SQL router answers");
    for (const DatabasePlace& place : places_) {
        auto opened = co_await open_connection(reactor_, shared_, place, deadline);
        if (!opened) {
            last = std::move(opened).error();
            continue;
        }
        Connection connection = *std::move(opened);
        auto answer = co_await connection->query(std::string(text), deadline, kLedgerBounds);
        connection->quit();
        co_return answer;
    }
    co_return std::unexpected(std::move(last));
}

runtime::Task<core::Result<void>> DrillTable::make(uint64_t marker, core::Instant deadline) {
    for (const std::string& statement : {
             std::string(kMake),
             std::string("DELETE FROM trilith_drill"),
             std::format("INSERT INTO trilith_drill (id, value) VALUES ({}, {})", kMarkerId, marker),
         }) {
        auto done = co_await ask(statement, deadline);
        if (!done) {
            co_return core::fail(error_of(done.error(), "making the table trilith_drill"));
        }
    }
    for (const DatabasePlace& place : places_) {
        for (int look = 0; look < kLooksAPlace; ++look) {
            CO_TRY_VOID(co_await await_marker(place, marker, deadline));
        }
    }
    co_return core::Result<void>();
}

runtime::Task<core::Result<void>> DrillTable::await_marker(
    const DatabasePlace& place,
    uint64_t marker,
    core::Instant deadline
) {
    std::string question = std::format("SELECT value FROM trilith_drill WHERE id = {}", kMarkerId);
    std::string reason = "it is not there";
    while (reactor_.now() < deadline) {
        auto opened = co_await open_connection(reactor_, shared_, place, deadline);
        if (opened) {
            Connection connection = *std::move(opened);
            auto answer = co_await connection->query(question, deadline);
            const std::string* value =
                answer && !answer->results.empty() ? answer->results[0].value(0, "value") : nullptr;
            if (number_of(value) == marker) {
                connection->quit();
                co_return core::Result<void>();
            }
            reason = answer ? "what it was before" : answer.error().message;
        } else {
            reason = opened.error().message;
        }
        if (co_await reactor_.sleep_for(kAgain) == runtime::Outcome::cancelled) {
            break;
        }
    }
    co_return core::fail(
        ErrorKind::timed_out,
        std::format("reading the table trilith_drill at {}: {}", place.url.address.to_string(), reason)
    );
}

runtime::Task<core::Result<std::vector<LedgerRow>>> DrillTable::read(core::Instant deadline) {
    for (;;) {
        auto answer = co_await ask(kReadAll, deadline);
        if (answer && !answer->results.empty()) {
            const mariadb::QueryResult& result = answer->results[0];
            std::vector<LedgerRow> rows;
            for (size_t at = 0; at < result.rows.size(); ++at) {
                LedgerRow row{
                    .id = number_of(result.value(at, "id")),
                    .value = number_of(result.value(at, "value"))
                };
                if (row.id != kMarkerId) {
                    rows.push_back(row);
                }
            }
            co_return rows;
        }
        bool is_late = reactor_.now() + kAgain >= deadline ||
                       co_await reactor_.sleep_for(kAgain) == runtime::Outcome::cancelled;
        if (is_late) {
            co_return core::fail(error_of(
                answer ? mariadb::failure(ErrorKind::invalid, "no rows came") : answer.error(),
                "reading the table trilith_drill"
            ));
        }
    }
}

runtime::Task<core::Result<void>> DrillTable::drop(core::Instant deadline) {
    auto dropped = co_await ask("DROP TABLE IF EXISTS trilith_drill", deadline);
    co_return dropped ? core::Result<void>()
                      : core::fail(error_of(dropped.error(), "dropping the table trilith_drill"));
}

}  // namespace drill

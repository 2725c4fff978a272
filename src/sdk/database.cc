// Database, Transaction and Rows: what a handler calls.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <trilith/database.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "core/hex.h"
#include "core/panic.h"
#include "sdk/database_session.h"
#include "sdk/guard.h"
#include "sdk/public_task.h"

namespace trilith {

namespace {

sdk::StatementOutcome checked(sdk::StatementOutcome outcome) {
    if (!outcome) {
        sdk::raise_database(std::move(outcome).error());
    }
    return outcome;
}

Rows rows_of(sdk::StatementOutcome outcome) {
    auto data = std::make_unique<sdk::RowsData>(sdk::RowsData{.result = *checked(std::move(outcome))});
    return sdk::PublicAccess::rows(std::move(data));
}

Changed changed_of(sdk::StatementOutcome outcome) {
    sdk::StatementOutcome result = checked(std::move(outcome));
    return {.rows = result->affected_rows, .last_id = result->last_insert_id};
}

const sdk::DatabaseSettings& usable(const sdk::DatabaseSettings& settings) {
    if (!settings.place) {
        sdk::raise_misuse("a Database must be made known by App::use() before run()");
    }
    return settings;
}

sdk::DatabaseSession& open_session(const std::unique_ptr<sdk::DatabaseSession>& session) {
    if (session == nullptr || !session->is_open()) {
        sdk::raise_misuse("this transaction has ended");
    }
    return *session;
}

}  // namespace

Transaction sdk::PublicAccess::transaction(std::unique_ptr<DatabaseSession> session) {
    return Transaction(std::move(session));
}

Rows sdk::PublicAccess::rows(std::unique_ptr<RowsData> data) { return Rows(std::move(data)); }

// ---- what it is made of

sdk::DatabaseSettings::DatabaseSettings(DatabaseOptions chosen) : options(std::move(chosen)) {
    constexpr uint32_t kLargest = 100'000;
    constexpr uint64_t kBytesLargest = (16 << 20) - 1;
    std::string where = "DatabaseOptions::url";
    if (options.url.empty()) {
        const char* given = std::getenv("DATABASE_URL");
        options.url = given == nullptr ? "" : given;
        where = "DATABASE_URL";
    }
    if (options.url.empty()) {
        problem =
            "DATABASE_URL is not set: it says where the database is, mysql://USER:PASSWORD@ADDRESS:PORT/NAME";
        return;
    }
    bool is_bounded = options.connections_max >= 1 && options.connections_max <= kLargest &&
                      options.statements_max >= 1 && options.statements_max <= kLargest &&
                      options.bytes_max >= 1024 && options.bytes_max <= kBytesLargest;
    if (!is_bounded) {
        problem = "DatabaseOptions: a number is out of its bounds";
        return;
    }
    auto read = mariadb::read_database_url(options.url);
    if (!read) {
        problem = where + ": " + read.error().context();
        return;
    }
    url = *std::move(read);
    if (!url.password.empty()) {
        key = mysql::password_key(url.password);
    }
}

Database::Database(DatabaseOptions options)
    : settings_(std::make_unique<sdk::DatabaseSettings>(std::move(options))) {}

Database::~Database() = default;

std::string Database::derive_key(std::string_view purpose) const {
    const std::string& password = settings_->url.password;
    if (password.empty()) {
        return {};
    }
    std::string message = "trilith::Database " + std::string(purpose);
    std::array<unsigned char, 32> mac{};
    unsigned length = 0;
    const unsigned char* made = ::HMAC(
        ::EVP_sha256(),
        password.data(),
        static_cast<int>(password.size()),
        reinterpret_cast<const unsigned char*>(message.data()),
        message.size(),
        mac.data(),
        &length
    );
    ASSERT(made != nullptr && length == mac.size());
    return core::to_hex(std::as_bytes(std::span(mac)));
}

// ---- statements

Task<Rows> Database::run_query(Request& request, detail::SqlText sql, detail::Parameters parameters) {
    sdk::Exchange& exchange = sdk::PublicAccess::exchange(request);
    co_return rows_of(co_await sdk::AwaitInside(run_alone(exchange, usable(*settings_), sql, parameters)));
}

Task<Changed> Database::run_execute(Request& request, detail::SqlText sql, detail::Parameters parameters) {
    sdk::Exchange& exchange = sdk::PublicAccess::exchange(request);
    auto outcome = co_await sdk::AwaitInside(run_alone(exchange, usable(*settings_), sql, parameters));
    co_return changed_of(std::move(outcome));
}

Task<Transaction> Database::begin(Request& request) {
    sdk::Exchange& exchange = sdk::PublicAccess::exchange(request);
    auto session = std::make_unique<sdk::DatabaseSession>(exchange, exchange.database(usable(*settings_)));
    auto begun = co_await sdk::AwaitInside(session->begin());
    static_cast<void>(checked(std::move(begun)));
    co_return sdk::PublicAccess::transaction(std::move(session));
}

Transaction::Transaction(std::unique_ptr<sdk::DatabaseSession> session) noexcept
    : session_(std::move(session)) {}

Transaction::Transaction(Transaction&&) noexcept = default;

Transaction::~Transaction() = default;

Task<Rows> Transaction::run_query(detail::SqlText sql, detail::Parameters parameters) {
    auto outcome = co_await sdk::AwaitInside(open_session(session_).run(sql, parameters));
    co_return rows_of(std::move(outcome));
}

Task<Changed> Transaction::run_execute(detail::SqlText sql, detail::Parameters parameters) {
    auto outcome = co_await sdk::AwaitInside(open_session(session_).run(sql, parameters));
    co_return changed_of(std::move(outcome));
}

Task<void> Transaction::commit() {
    auto outcome = co_await sdk::AwaitInside(open_session(session_).end(sdk::TransactionEnd::commit));
    static_cast<void>(checked(std::move(outcome)));
}

Task<void> Transaction::rollback() {
    auto outcome = co_await sdk::AwaitInside(open_session(session_).end(sdk::TransactionEnd::rollback));
    static_cast<void>(checked(std::move(outcome)));
}

// ---- rows

Rows::Rows(std::unique_ptr<sdk::RowsData> data) noexcept : data_(std::move(data)) {}

Rows::Rows(Rows&&) noexcept = default;

Rows& Rows::operator=(Rows&&) noexcept = default;

Rows::~Rows() = default;

size_t Rows::size() const noexcept { return data_->result.rows; }

size_t Rows::columns() const noexcept { return data_->result.columns.size(); }

std::string_view Rows::column_name(size_t column) const {
    if (column >= columns()) {
        sdk::raise_misuse("the result has no column " + std::to_string(column));
    }
    return data_->result.columns[column];
}

Row Rows::operator[](size_t index) const {
    if (index >= size()) {
        sdk::raise_misuse("the result has no row " + std::to_string(index));
    }
    return {*this, index};
}

size_t Rows::find_column(std::string_view name) const {
    auto found = std::ranges::find(data_->result.columns, name);
    if (found == data_->result.columns.end()) {
        sdk::raise_misuse("the result has no column \"" + std::string(name) + "\"");
    }
    return static_cast<size_t>(found - data_->result.columns.begin());
}

detail::Cell Rows::cell(size_t row, size_t column) const {
    if (column >= columns()) {
        sdk::raise_misuse("the result has no column " + std::to_string(column));
    }
    const mariadb::StatementCell& cell = data_->result.cell(row, column);
    bool is_text = cell.kind == mysql::ValueKind::text;
    return {
        .kind = static_cast<detail::CellKind>(cell.kind),
        .bits = cell.bits,
        .text = is_text ? data_->result.text_of(cell) : std::string_view(),
    };
}

Json Row::json() const {
    std::vector<Json::Member> members;
    members.reserve(rows_->columns());
    for (size_t column = 0; column < rows_->columns(); ++column) {
        detail::Cell cell = rows_->cell(index_, column);
        Json value;
        switch (cell.kind) {
            case detail::CellKind::null: break;
            case detail::CellKind::integer: value = static_cast<int64_t>(cell.bits); break;
            case detail::CellKind::natural: value = cell.bits; break;
            case detail::CellKind::number: value = detail::number_of(cell); break;
            case detail::CellKind::text: value = cell.text; break;
        }
        members.push_back({std::string(rows_->column_name(column)), std::move(value)});
    }
    return sdk::PublicAccess::object_of(std::move(members));
}

Json Rows::json() const {
    Json array = Json::array();
    for (Row row : *this) {
        array.push_back(row.json());
    }
    return array;
}

namespace detail {

// The two lists of kinds are one.
static_assert(static_cast<int>(CellKind::null) == static_cast<int>(mysql::ValueKind::null));
static_assert(static_cast<int>(CellKind::integer) == static_cast<int>(mysql::ValueKind::integer));
static_assert(static_cast<int>(CellKind::natural) == static_cast<int>(mysql::ValueKind::natural));
static_assert(static_cast<int>(CellKind::number) == static_cast<int>(mysql::ValueKind::number));
static_assert(static_cast<int>(CellKind::text) == static_cast<int>(mysql::ValueKind::text));

void refuse_cell(std::string_view column, std::string_view reason) {
    sdk::raise_misuse("column \"" + std::string(column) + "\" " + std::string(reason));
}

double number_of(const Cell& cell) noexcept {
    switch (cell.kind) {
        case CellKind::integer: return static_cast<double>(static_cast<int64_t>(cell.bits));
        case CellKind::natural: return static_cast<double>(cell.bits);
        default: return std::bit_cast<double>(cell.bits);
    }
}

}  // namespace detail

}  // namespace trilith

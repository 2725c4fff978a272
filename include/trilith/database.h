// trilith::Database: a program's MariaDB, through the SQL router or directly. Beside app.h; a program that
// has a database includes both.
//
//     trilith::Database database;  // where DATABASE_URL says
//
//     trilith::Task<trilith::Response> user(trilith::Request& request, int64_t id) {
//         auto found = co_await database.query(request, "SELECT name, born FROM users WHERE id = ?", id);
//         if (found.empty()) {
//             throw trilith::Refused(404, "no such user");
//         }
//         co_return request.render("user", found[0].json());
//     }
//
//     trilith::Task<trilith::Response> transfer(trilith::Request& request) {
//         trilith::Transaction transaction = co_await database.begin(request);
//         co_await transaction.execute("UPDATE accounts SET cents = cents - ? WHERE id = ?", 100, 1);
//         co_await transaction.execute("UPDATE accounts SET cents = cents + ? WHERE id = ?", 100, 2);
//         co_await transaction.commit();  // left in any other way, it is rolled back
//         co_return trilith::Response::redirect("/");
//     }
//
//     int main(int argc, char** argv) {
//         trilith::App app({.cookie_keys = {database.derive_key("cookies")}});
//         app.use(database);
//         …
//     }
//
// - SQL is a literal of the program, checked when it is compiled: as many "?" as values. A visitor's text
//   goes into values, never into SQL. Each statement is prepared once on each connection.
// - A read is a statement that begins with SELECT, WITH, SHOW, EXPLAIN, DESCRIBE, TABLE or VALUES. When the
//   request is over, a read, and what a transaction runs, is killed at the server; any other statement and a
//   commit are waited for.
// - A visitor reads what they have written, from whichever replica: the position of a request's last write
//   travels in a signed cookie to their next request. It needs Options::cookie_keys and the SQL router. What
//   a streaming answer writes after it has begun travels in none.
#pragma once

#include <trilith/app.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace trilith {

namespace sdk {
struct DatabaseSettings;
class DatabaseSession;
struct RowsData;
}  // namespace sdk

// Thrown by statements. One that leaves a handler is a 503 where the kind is `unavailable`, else a 500, and
// logged.
class DatabaseError : public std::exception {
public:
    enum class Kind : uint8_t {
        statement,    // the server refuses the statement: number(), sqlstate(), what()
        unavailable,  // no connection, no place in the queue, no primary: nothing was done
        lost,         // the connection broke: whether a write was done is not known
        timed_out,    // the same, after DatabaseOptions::query_time
        too_large,    // more rows or bytes than DatabaseOptions allow, or a value of 16 MiB
    };

    DatabaseError(Kind kind, uint16_t number, std::string sqlstate, std::string sentence)
        : kind_(kind), number_(number), sqlstate_(std::move(sqlstate)), sentence_(std::move(sentence)) {}

    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    // The server's, as 1062; 0 where it said nothing.
    [[nodiscard]] uint16_t number() const noexcept { return number_; }
    // Five characters, as "23000"; empty where the server said nothing.
    [[nodiscard]] std::string_view sqlstate() const noexcept { return sqlstate_; }
    [[nodiscard]] const char* what() const noexcept override { return sentence_.c_str(); }

    // Another row has this unique key (1062).
    [[nodiscard]] bool is_duplicate() const noexcept { return number_ == 1062; }
    // The transaction lost against another and was rolled back: begin it again (1213, and 1205).
    [[nodiscard]] bool is_deadlock() const noexcept { return number_ == 1213 || number_ == 1205; }

private:
    Kind kind_;
    uint16_t number_;
    std::string sqlstate_;
    std::string sentence_;
};

namespace detail {

enum class CellKind : uint8_t { null, integer, natural, number, text };

struct Cell {
    CellKind kind = CellKind::null;
    uint64_t bits = 0;        // an int64_t, uint64_t or double
    std::string_view text{};  // of kind `text`
};

[[noreturn]] void refuse_cell(std::string_view column, std::string_view reason);  // std::logic_error
[[nodiscard]] double number_of(const Cell& cell) noexcept;

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

// Nothing where the value does not fit into the type.
template <class T>
[[nodiscard]] std::optional<T> value_of_cell(const Cell& cell) {
    bool is_whole = cell.kind == CellKind::integer || cell.kind == CellKind::natural;
    if constexpr (std::same_as<T, bool>) {
        return is_whole ? std::optional(cell.bits != 0) : std::nullopt;
    } else if constexpr (std::integral<T>) {
        if (cell.kind == CellKind::integer && std::in_range<T>(static_cast<int64_t>(cell.bits))) {
            return static_cast<T>(static_cast<int64_t>(cell.bits));
        }
        if (cell.kind == CellKind::natural && std::in_range<T>(cell.bits)) {
            return static_cast<T>(cell.bits);
        }
        T value{};  // a DECIMAL is a text
        return cell.kind == CellKind::text && read_value(cell.text, value) ? std::optional(value)
                                                                           : std::nullopt;
    } else if constexpr (std::same_as<T, double>) {
        double value = 0;
        if (cell.kind == CellKind::text) {
            return read_value(cell.text, value) ? std::optional(value) : std::nullopt;
        }
        return number_of(cell);
    } else {
        static_assert(
            std::same_as<T, std::string_view> || std::same_as<T, std::string>,
            "a column is read as bool, an integer, double, std::string_view, std::string or an "
            "std::optional of these"
        );
        return cell.kind == CellKind::text ? std::optional(T(cell.text)) : std::nullopt;
    }
}

template <class T>
[[nodiscard]] T read_cell(const Cell& cell, std::string_view column) {
    if constexpr (kIsOptional<T>) {
        return cell.kind == CellKind::null ? T() : T(read_cell<typename T::value_type>(cell, column));
    } else {
        if (cell.kind == CellKind::null) {
            refuse_cell(column, "is NULL: read it as an std::optional");
        }
        auto value = value_of_cell<T>(cell);
        if (!value) {
            refuse_cell(column, "does not fit into the type that it is read as");
        }
        return *std::move(value);
    }
}

}  // namespace detail

class Rows;

// One row; valid as long as its Rows.
class Row {
public:
    // The value of a column, by its place from 0 on or its name. T: bool, an integer, double,
    // std::string_view, std::string, or an std::optional of these, which is what takes NULL. Dates and times
    // are texts, "2026-11-28 13:05:00". std::logic_error where there is no such column or the value does not
    // fit.
    template <class T>
    [[nodiscard]] T get(std::size_t column) const;
    template <class T>
    [[nodiscard]] T get(std::string_view column) const;

    // The first columns at once: auto [id, name] = row.as<int64_t, std::string_view>();
    template <class... T>
    [[nodiscard]] std::tuple<T...> as() const {
        return as_tuple<T...>(std::index_sequence_for<T...>());
    }

    // An object of all columns, for Request::render().
    [[nodiscard]] Json json() const;

private:
    friend class Rows;
    Row(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}

    template <class... T, std::size_t... At>
    [[nodiscard]] std::tuple<T...> as_tuple(std::index_sequence<At...>) const {
        return {get<T>(At)...};
    }

    const Rows* rows_;
    std::size_t index_;
};

// All rows of a result; they were read before the await ended.
class Rows {
public:
    class Iterator {
    public:
        using value_type = Row;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        Iterator(const Rows& rows, std::size_t at) : rows_(&rows), at_(at) {}
        Row operator*() const { return (*rows_)[at_]; }
        Iterator& operator++() {
            ++at_;
            return *this;
        }
        Iterator operator++(int) {
            Iterator before = *this;
            ++at_;
            return before;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

    private:
        const Rows* rows_ = nullptr;
        std::size_t at_ = 0;
    };

    Rows(Rows&&) noexcept;
    Rows& operator=(Rows&&) noexcept;
    ~Rows();

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    // std::logic_error where there is none.
    [[nodiscard]] Row operator[](std::size_t index) const;
    [[nodiscard]] Iterator begin() const { return {*this, 0}; }
    [[nodiscard]] Iterator end() const { return {*this, size()}; }

    [[nodiscard]] std::size_t columns() const noexcept;
    [[nodiscard]] std::string_view column_name(std::size_t column) const;

    // An array of objects.
    [[nodiscard]] Json json() const;

private:
    friend class Row;
    friend struct sdk::PublicAccess;
    explicit Rows(std::unique_ptr<sdk::RowsData> data) noexcept;

    [[nodiscard]] std::size_t find_column(std::string_view name) const;
    [[nodiscard]] detail::Cell cell(std::size_t row, std::size_t column) const;

    std::unique_ptr<sdk::RowsData> data_;
};

template <class T>
T Row::get(std::size_t column) const {
    return detail::read_cell<T>(rows_->cell(index_, column), rows_->column_name(column));
}

template <class T>
T Row::get(std::string_view column) const {
    return get<T>(rows_->find_column(column));
}

// What a statement did.
struct Changed {
    uint64_t rows = 0;     // changed, not only found
    uint64_t last_id = 0;  // of AUTO_INCREMENT, the first one; 0: none
};

namespace detail {

// Not constexpr: where the compiler names one of these, that is what is wrong.
void the_statement_has_another_number_of_parameters_than_values_are_given();
void this_statement_would_stay_with_a_shared_connection_use_begin_for_transactions();

constexpr char upper(char byte) { return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : byte; }

constexpr std::string_view kBlank = " \t\r\n(";

// Whether the text's first word is `word`, in capitals.
constexpr bool begins_with_word(std::string_view text, std::string_view word) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
    if (text.size() < word.size()) {
        return false;
    }
    for (std::size_t at = 0; at < word.size(); ++at) {
        if (upper(text[at]) != word[at]) {
            return false;
        }
    }
    char next = text.size() == word.size() ? ' ' : upper(text[word.size()]);
    return !(next >= 'A' && next <= 'Z') && next != '_';
}

// Behind what begins at `at`: a string, a name in back quotes, or a comment; `at` itself for anything else.
constexpr std::size_t skip_quoted(std::string_view text, std::size_t at) {
    char first = text[at];
    if (first == '\'' || first == '"' || first == '`') {
        std::size_t end = at + 1;
        while (end < text.size() && text[end] != first) {
            end += text[end] == '\\' && first != '`' ? 2 : 1;
        }
        return end + 1;
    }
    bool is_line = first == '#' || text.substr(at, 3) == "-- ";
    if (is_line) {
        return std::min(text.find('\n', at), text.size());
    }
    return text.substr(at, 2) == "/*" ? std::min(text.find("*/", at + 2), text.size() - 2) + 2 : at;
}

constexpr std::size_t count_parameters(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t behind = skip_quoted(text, at);
        if (behind == at) {
            count += text[at] == '?' ? 1 : 0;
            behind = at + 1;
        }
        at = behind;
    }
    return count;
}

constexpr bool is_read_only(std::string_view text) {
    for (std::string_view word :
         {"SELECT", "WITH", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "TABLE", "VALUES"}) {
        if (begins_with_word(text, word)) {
            return true;
        }
    }
    return false;
}

constexpr bool changes_connection(std::string_view text) {
    for (std::string_view word :
         {"BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "USE", "LOCK", "UNLOCK", "XA"
         }) {
        if (begins_with_word(text, word)) {
            return true;
        }
    }
    return false;
}

struct SqlText {
    std::string_view text;
    bool is_read = false;
};

// A literal of the program with this number of parameters.
template <std::size_t Count>
class SqlOf {
public:
    template <std::size_t Size>
    consteval SqlOf(const char (&literal)[Size]) : sql_{.text = {literal, Size - 1}} {
        if (count_parameters(sql_.text) != Count) {
            the_statement_has_another_number_of_parameters_than_values_are_given();
        }
        if (changes_connection(sql_.text)) {
            this_statement_would_stay_with_a_shared_connection_use_begin_for_transactions();
        }
        sql_.is_read = is_read_only(sql_.text);
    }

    [[nodiscard]] const SqlText& sql() const { return sql_; }

private:
    SqlText sql_;
};

// The values of one execution, copied when the statement is called.
class Parameters {
public:
    template <class... Values>
    explicit Parameters(const Values&... values) {
        cells_.reserve(sizeof...(Values));
        (add(values), ...);
    }

    struct Kept {
        CellKind kind = CellKind::null;
        uint64_t bits = 0;  // of a text: where it begins in text()
        std::size_t length = 0;
    };

    [[nodiscard]] const std::vector<Kept>& cells() const { return cells_; }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    void add(std::nullptr_t) { cells_.push_back({}); }
    void add(std::nullopt_t) { cells_.push_back({}); }
    void add(double value) {
        cells_.push_back({.kind = CellKind::number, .bits = std::bit_cast<uint64_t>(value)});
    }
    void add(std::string_view value) {
        cells_.push_back({.kind = CellKind::text, .bits = text_.size(), .length = value.size()});
        text_ += value;
    }
    void add(const std::string& value) { add(std::string_view(value)); }
    void add(const char* value) { add(std::string_view(value)); }
    template <std::integral T>
    void add(T value) {
        CellKind kind = std::is_signed_v<T> ? CellKind::integer : CellKind::natural;
        cells_.push_back({.kind = kind, .bits = static_cast<uint64_t>(value)});
    }
    template <class T>
    void add(const std::optional<T>& value) {
        if (value) {
            add(*value);
        } else {
            add(nullptr);
        }
    }

    std::vector<Kept> cells_;
    std::string text_;
};

}  // namespace detail

// One transaction, on a connection of its own, at the primary. It ends with commit() or rollback(); where it
// is destroyed before, it is rolled back, which nobody waits for. Not for use beyond its request.
class Transaction {
public:
    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    // As those of Database.
    template <class... Values>
    Task<Rows> query(detail::SqlOf<sizeof...(Values)> sql, const Values&... values) {
        return run_query(sql.sql(), detail::Parameters(values...));
    }
    template <class... Values>
    Task<Changed> execute(detail::SqlOf<sizeof...(Values)> sql, const Values&... values) {
        return run_execute(sql.sql(), detail::Parameters(values...));
    }

    // Once begun it is waited for, up to DatabaseOptions::commit_time, even when the request is over. An
    // error of kind `lost` or `timed_out` says that it is not known whether it was done. std::logic_error
    // after the end.
    Task<void> commit();
    Task<void> rollback();

private:
    friend struct sdk::PublicAccess;
    explicit Transaction(std::unique_ptr<sdk::DatabaseSession> session) noexcept;

    Task<Rows> run_query(detail::SqlText sql, detail::Parameters parameters);
    Task<Changed> run_execute(detail::SqlText sql, detail::Parameters parameters);

    std::unique_ptr<sdk::DatabaseSession> session_;
};

struct DatabaseOptions {
    // mysql://USER:PASSWORD@ADDRESS:PORT/DATABASE; empty: the environment's DATABASE_URL.
    std::string url{};

    uint32_t connections_max = 8;  // of one thread; a quarter of them is for reads alone
    uint32_t queue_max = 256;      // requests that wait for one; then `unavailable`
    uint32_t statements_max = 64;  // prepared on a connection; then the one unused for longest is closed
    uint32_t rows_max = 10'000;    // of a result
    uint64_t bytes_max = 8 << 20;  // of a result, below 16 MiB

    std::chrono::milliseconds connect_time{5'000};
    std::chrono::milliseconds queue_time{5'000};   // until there is a connection; then `unavailable`
    std::chrono::milliseconds query_time{15'000};  // of a statement: above the router's database.hold
    std::chrono::milliseconds commit_time{30'000};
    std::chrono::milliseconds slow_time{1'000};  // a statement that takes so long is logged with its request's id
    std::chrono::milliseconds idle_time{60'000};  // unused for so long, a connection is closed

    std::string position_cookie = "trilith_position";  // empty: no visitor's writes are followed
    std::chrono::seconds position_life{300};           // longer than a replica may lag
};

class Database {
public:
    // What is wrong with the URL is told by App::run(), which then gives 2.
    explicit Database(DatabaseOptions options = {});
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Runs the statement on any free connection and gives its rows. Values: bool, integers, double, texts,
    // nullptr for NULL, and std::optional of these. Throws DatabaseError, and Cancelled when the request is
    // over. A read whose connection turns out to be broken is run again once.
    template <class... Values>
    Task<Rows> query(Request& request, detail::SqlOf<sizeof...(Values)> sql, const Values&... values) {
        return run_query(request, sql.sql(), detail::Parameters(values...));
    }

    // The same for what gives no rows.
    template <class... Values>
    Task<Changed> execute(Request& request, detail::SqlOf<sizeof...(Values)> sql, const Values&... values) {
        return run_execute(request, sql.sql(), detail::Parameters(values...));
    }

    Task<Transaction> begin(Request& request);

    // A secret of 64 characters, made of the URL's password and the purpose: the same on all servers of a
    // site, without any of its own to keep. Empty where there is no password. It changes with the password.
    [[nodiscard]] std::string derive_key(std::string_view purpose) const;

private:
    friend struct sdk::PublicAccess;

    Task<Rows> run_query(Request& request, detail::SqlText sql, detail::Parameters parameters);
    Task<Changed> run_execute(Request& request, detail::SqlText sql, detail::Parameters parameters);

    std::unique_ptr<sdk::DatabaseSettings> settings_;
};

}  // namespace trilith

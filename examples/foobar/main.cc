// www.foobar.com: users in a database, with trilith::app. Each page says who answered and how old its data
// is.
#include <trilith/app.h>
#include <trilith/database.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pages.h"

using namespace std::chrono_literals;
using trilith::Database;
using trilith::DatabaseError;
using trilith::Json;
using trilith::Refused;
using trilith::Request;
using trilith::Response;
using trilith::Row;
using trilith::Rows;
using trilith::Task;

namespace {

constexpr int64_t kUsersOnPage = 12;
constexpr int64_t kPageMax = 1'000'000;
constexpr auto kBeat = 2s;
// No beat was written for so long: changes must wait. A primary that is replaced is back before.
constexpr auto kPatience = 8s;

Database database;

// When the last beat was written; at first, when the program began.
std::chrono::steady_clock::time_point last_beat = std::chrono::steady_clock::now();

std::string web_server() {
    const char* server = std::getenv("TRILITH_SERVER");
    const char* instance = std::getenv("TRILITH_INSTANCE");
    std::string text = server == nullptr ? "this machine" : server;
    return instance == nullptr ? text : text + ", " + instance;
}

// ---- texts

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    size_t begin = text.find_first_not_of(kBlanks);
    return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// What a visitor typed, without blanks around it.
std::string_view typed(std::optional<std::string_view> text) { return trimmed(text.value_or("")); }

size_t characters_of(std::string_view utf8) {
    size_t count = 0;
    for (char byte : utf8) {
        count += (byte & 0xC0) != 0x80 ? 1 : 0;
    }
    return count;
}

std::string url_encoded(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string encoded;
    for (char byte : text) {
        bool is_plain =
            (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        auto bits = static_cast<unsigned char>(byte);
        if (is_plain) {
            encoded += byte;
        } else {
            encoded += {'%', kHex[bits >> 4], kHex[bits & 15]};
        }
    }
    return encoded;
}

// For LIKE … ESCAPE '!'.
std::string containing(std::string_view text) {
    std::string pattern = "%";
    for (char byte : text) {
        if (byte == '%' || byte == '_' || byte == '!') {
            pattern += '!';
        }
        pattern += byte;
    }
    return pattern + "%";
}

std::string age_text(int64_t microseconds) {
    char text[32];
    double seconds = static_cast<double>(microseconds < 0 ? 0 : microseconds) / 1e6;
    std::snprintf(text, sizeof text, seconds < 60 ? "%.1f s" : "%.0f s", seconds);
    return text;
}

// What a page says after a change.
std::string_view sentence_of(std::string_view done) {
    if (done == "added") {
        return "The user was added.";
    }
    if (done == "edited") {
        return "The user was edited.";
    }
    return done == "removed" ? "The user was removed." : "";
}

// ---- pages

// What every page says. `row` is of a statement that asks `answering`; none where no database was asked.
Json page_values(std::string_view title, const Row* row = nullptr) {
    Json values{{"title", title}, {"web_server", web_server()}};
    values["waits"] = std::chrono::steady_clock::now() - last_beat > kPatience;
    if (row != nullptr) {
        values["database_server"] = row->get<std::string_view>("server");
        values["database_role"] = row->get<bool>("is_replica") ? "replica" : "primary";
        values["data_age"] = age_text(row->get<int64_t>("age"));
    }
    return values;
}

Response page(const Request& request, std::string_view name, const Json& values, int status = 200) {
    return request.render(name, values)
        .with_status(status)
        .with_header("Cache-Control", "no-store")
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Referrer-Policy", "same-origin")
        .with_header(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        );
}

// A database that cannot be asked is no reason for an ugly page.
Response problem_page(const Request& request, const DatabaseError& error) {
    request.log(std::string("the database: ") + error.what(), trilith::Level::warn);
    Json values = page_values("The users cannot be shown just now");
    values["wrong"] = "The database does not answer. Please try again in a moment.";
    return page(request, "problem", values, 503);
}

std::string list_url(std::string_view q, int64_t page) {
    return "/?q=" + url_encoded(q) + "&page=" + std::to_string(page);
}

Task<Response> list(Request& request) {
    std::string_view q = typed(request.query("q"));
    int64_t number = std::clamp<int64_t>(request.query<int64_t>("page").value_or(1), 1, kPageMax);
    std::string pattern = containing(q);
    try {
        // One statement, so that the users and the answer to who has them come from one server.
        Rows rows = co_await database.query(
            request,
            "SELECT a.server, a.is_replica, TIMESTAMPDIFF(MICROSECOND, a.beat, UTC_TIMESTAMP(6)) AS age, "
            "u.id, "
            "u.name, u.email, u.city FROM answering AS a LEFT JOIN (SELECT id, name, email, city FROM users "
            "WHERE name LIKE ? ESCAPE '!' OR email LIKE ? ESCAPE '!' OR city LIKE ? ESCAPE '!' "
            "ORDER BY name, id LIMIT ? OFFSET ?) AS u ON TRUE ORDER BY u.name, u.id",
            pattern,
            pattern,
            pattern,
            kUsersOnPage + 1,
            (number - 1) * kUsersOnPage
        );
        Row first = rows[0];
        Json values = page_values("Users", &first);
        Json users = Json::array();
        bool has_more = false;
        for (Row row : rows) {
            auto id = row.get<std::optional<uint64_t>>("id");
            has_more = has_more || users.size() == kUsersOnPage;
            if (id && !has_more) {
                users.push_back(row.json());
            }
        }
        values["users"] = std::move(users);
        values["q"] = q;
        values["said"] = sentence_of(request.query("done").value_or(""));
        values["page"] = number;
        values["before"] = number > 1 ? Json(list_url(q, number - 1)) : Json();
        values["after"] = has_more ? Json(list_url(q, number + 1)) : Json();
        values["paged"] = number > 1 || has_more;
        co_return page(request, "list", values);
    } catch (const DatabaseError& error) {
        co_return problem_page(request, error);
    }
}

// ---- changes

struct UserForm {
    std::string name{};
    std::string email{};
    std::string city{};
};

UserForm read_form(const Request& request) {
    return {
        .name = std::string(typed(request.form("name"))),
        .email = std::string(typed(request.form("email"))),
        .city = std::string(typed(request.form("city"))),
    };
}

// What is wrong with it; empty: nothing.
std::string_view problem_of(const UserForm& form) {
    size_t at = form.email.find('@');
    if (form.name.empty() || characters_of(form.name) > 100) {
        return "A name has 1 to 100 characters.";
    }
    bool is_address = at != std::string::npos && at > 0 && at + 1 < form.email.size() &&
                      form.email.find_first_of(" \t\r\n", 0) == std::string::npos;
    if (!is_address || characters_of(form.email) > 200) {
        return "An e-mail address has an @ between two parts, no blanks, and at most 200 characters.";
    }
    return characters_of(form.city) > 100 ? "A city has at most 100 characters." : "";
}

std::string_view sentence_of(const DatabaseError& error) {
    using Kind = DatabaseError::Kind;
    if (error.is_duplicate()) {
        return "Another user has this e-mail address.";
    }
    switch (error.kind()) {
        case Kind::unavailable:
            return "Nothing was changed: changes must wait until the database has a primary server again.";
        case Kind::lost:
        case Kind::timed_out:
            return "It is not known whether this was done: look at the users before you try again.";
        default: return "The database refused this change.";
    }
}

Response form_page(
    const Request& request,
    std::string_view title,
    const UserForm& form,
    const Row* row,
    std::string_view wrong = "",
    int status = 200
) {
    Json values = page_values(title, row);
    values["action"] = request.path();
    values["form_token"] = request.form_token();
    values["name"] = form.name;
    values["email"] = form.email;
    values["city"] = form.city;
    values["wrong"] = wrong;
    return page(request, "form", values, status);
}

int status_of(const DatabaseError& error) {
    return error.is_duplicate() ? 409 : error.kind() == DatabaseError::Kind::unavailable ? 503 : 500;
}

Response new_user(Request& request) { return form_page(request, "Add a user", {}, nullptr); }

Task<Response> add_user(Request& request) {
    request.check_form();
    UserForm form = read_form(request);
    if (std::string_view problem = problem_of(form); !problem.empty()) {
        co_return form_page(request, "Add a user", form, nullptr, problem, 422);
    }
    try {
        co_await database.execute(
            request,
            "INSERT INTO users (name, email, city) VALUES (?, ?, ?)",
            form.name,
            form.email,
            form.city
        );
    } catch (const DatabaseError& error) {
        request.log(std::string("adding a user: ") + error.what(), trilith::Level::warn);
        co_return form_page(request, "Add a user", form, nullptr, sentence_of(error), status_of(error));
    }
    co_return Response::redirect("/?done=added");
}

// The user and who answered: one row. Refused where there is none.
Task<Rows> find_user(Request& request, uint64_t id) {
    Rows rows = co_await database.query(
        request,
        "SELECT a.server, a.is_replica, TIMESTAMPDIFF(MICROSECOND, a.beat, UTC_TIMESTAMP(6)) AS age, u.name, "
        "u.email, u.city FROM users AS u JOIN answering AS a WHERE u.id = ?",
        id
    );
    if (rows.empty()) {
        throw Refused(404, "there is no such user");
    }
    co_return rows;
}

UserForm form_of(const Row& row) {
    return {
        .name = row.get<std::string>("name"),
        .email = row.get<std::string>("email"),
        .city = row.get<std::string>("city"),
    };
}

Task<Response> show_user(Request& request, uint64_t id) {
    try {
        Rows rows = co_await find_user(request, id);
        Row row = rows[0];
        co_return form_page(request, "Edit a user", form_of(row), &row);
    } catch (const DatabaseError& error) {
        co_return problem_page(request, error);
    }
}

Task<Response> edit_user(Request& request, uint64_t id) {
    request.check_form();
    UserForm form = read_form(request);
    if (std::string_view problem = problem_of(form); !problem.empty()) {
        co_return form_page(request, "Edit a user", form, nullptr, problem, 422);
    }
    try {
        auto changed = co_await database.execute(
            request,
            "UPDATE users SET name = ?, email = ?, city = ? WHERE id = ?",
            form.name,
            form.email,
            form.city,
            id
        );
        if (changed.rows == 0) {  // they are as they were, or gone
            co_await find_user(request, id);
        }
    } catch (const DatabaseError& error) {
        request.log(std::string("editing a user: ") + error.what(), trilith::Level::warn);
        co_return form_page(request, "Edit a user", form, nullptr, sentence_of(error), status_of(error));
    }
    co_return Response::redirect("/?done=edited");
}

Response remove_page(const Request& request, const Row& row, std::string_view wrong, int status) {
    Json values = page_values("Remove a user", &row);
    values["action"] = request.path();
    values["form_token"] = request.form_token();
    values["name"] = row.get<std::string_view>("name");
    values["email"] = row.get<std::string_view>("email");
    values["wrong"] = wrong;
    return page(request, "remove", values, status);
}

Task<Response> ask_removal(Request& request, uint64_t id) {
    try {
        Rows rows = co_await find_user(request, id);
        co_return remove_page(request, rows[0], "", 200);
    } catch (const DatabaseError& error) {
        co_return problem_page(request, error);
    }
}

Task<Response> remove_user(Request& request, uint64_t id) {
    request.check_form();
    std::string wrong;
    int status = 500;
    try {
        co_await database.execute(request, "DELETE FROM users WHERE id = ?", id);
        co_return Response::redirect("/?done=removed");
    } catch (const DatabaseError& error) {
        request.log(std::string("removing a user: ") + error.what(), trilith::Level::warn);
        wrong = sentence_of(error);
        status = status_of(error);
    }
    try {
        Rows rows = co_await find_user(request, id);
        co_return remove_page(request, rows[0], wrong, status);
    } catch (const DatabaseError& error) {
        co_return problem_page(request, error);
    }
}

// An answer that is long on its way, as one of those that `trilith drill` asks for.
Response mebibyte(Request&) { return Response::text(std::string(size_t{1} << 20, 'x')); }

// Says by the data themselves until when they are complete, and finds out whether changes can be made.
Task<void> beat(Request& request) {
    co_await database.execute(request, "UPDATE pulse SET beat = UTC_TIMESTAMP(6) WHERE id = 1");
    last_beat = std::chrono::steady_clock::now();
}

}  // namespace

int main(int argc, char** argv) {
    trilith::App app({.cookie_keys = {database.derive_key("cookies")}});
    app.use(database);
    app.add_template("top", kTop);
    app.add_template("bottom", kBottom);
    app.add_template("list", kList);
    app.add_template("form", kForm);
    app.add_template("remove", kRemove);
    app.add_template("problem", kProblem);
    app.get("/", list);
    app.get("/users/new", new_user);
    app.post("/users/new", add_user);
    app.get("/users/{id:int}", show_user);
    app.post("/users/{id:int}", edit_user);
    app.get("/users/{id:int}/remove", ask_removal);
    app.post("/users/{id:int}/remove", remove_user);
    app.get("/mebibyte", mebibyte);
    app.every(kBeat, beat);
    return app.run(argc, argv);
}

// What the library sees of its public types: their insides, in one place.
#pragma once

#include <trilith/app.h>
#include <trilith/database.h>

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace trilith::sdk {

struct PublicAccess {
    [[nodiscard]] static Json object_of(std::vector<Json::Member> members) {
        Json object = Json::object();
        std::get<Json::Object>(object.value_) = std::move(members);
        return object;
    }

    [[nodiscard]] static Request request(Exchange& exchange) { return Request(exchange); }
    [[nodiscard]] static Writer writer(Exchange& exchange) { return Writer(exchange); }

    [[nodiscard]] static std::string_view body(const Response& response) { return response.body_.view(); }
    [[nodiscard]] static std::string_view fields(const Response& response) { return response.fields_; }
    [[nodiscard]] static std::string_view content_type(const Response& response) {
        return response.content_type_;
    }
    [[nodiscard]] static int status(const Response& response) { return response.status_; }
    // Null where the answer is no stream.
    [[nodiscard]] static auto& stream(Response& response) { return response.stream_; }

    template <class T>
    [[nodiscard]] static auto frame(const Task<T>& task) {
        return task.frame_;
    }

    [[nodiscard]] static Exchange& exchange(const Request& request) { return request.exchange_; }
    [[nodiscard]] static DatabaseSettings& settings(Database& database) { return *database.settings_; }
    [[nodiscard]] static Transaction transaction(std::unique_ptr<DatabaseSession> session);
    [[nodiscard]] static Rows rows(std::unique_ptr<RowsData> data);

    [[nodiscard]] static Program& program(App& app) { return *app.program_; }
};

}  // namespace trilith::sdk

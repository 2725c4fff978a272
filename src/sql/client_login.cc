#include "sql/client_login.h"

#include <format>

#include "mysql/greeting.h"
#include "mysql/login.h"
#include "sql/reply.h"
#include "sql/worker.h"

namespace sql {

namespace {

constexpr size_t kAnswerMax = 32 << 10;  // bytes of a login's payload, connection attributes included
// A login that fails may be right with accounts that were made just now: so long they are waited for. It
// also slows down whoever guesses.
constexpr core::Duration kImportWait = std::chrono::milliseconds(1200);

mysql::Nonce make_nonce(Worker& worker) {
    mysql::Nonce nonce;
    worker.reactor().os().fill_random(std::as_writable_bytes(std::span(nonce)));
    for (char& byte : nonce) {
        byte = static_cast<char>(byte & 0x7F);
        byte = byte == 0 || byte == '$' ? static_cast<char>(byte + 1) : byte;
    }
    return nonce;
}

std::string greeting_version(const Routing& routing) {
    std::string version = "10.11.0-MariaDB";
    const Node* primary = routing.primary_node();
    if (primary != nullptr && !primary->version.empty()) {
        version = primary->version;
    } else {
        for (const Node& node : routing.nodes) {
            version = node.version.empty() ? version : node.version;
        }
    }
    return version.starts_with("10.") ? "5.5.5-" + version : version;
}

// One login, or one change of user, of a client.
class Login {
public:
    Login(Worker& worker, Client& client, runtime::Event& routing_changed, mysql::Nonce nonce)
        : worker_(worker),
          client_(client),
          routing_changed_(routing_changed),
          nonce_(nonce),
          deadline_(worker.now() + worker.config().timeouts.login) {}

    runtime::Task<std::optional<LoggedIn>> begin(uint32_t session_id);
    runtime::Task<std::expected<LoggedIn, LoginEnd>> change(std::string payload);

private:
    // Each gives false, or nothing, when the client is not let in; it has been told why.
    runtime::Task<bool> await_accounts();
    runtime::Task<bool> greet(uint32_t session_id);
    runtime::Task<std::optional<std::string>> read_answer();
    runtime::Task<std::optional<std::string>> ask_for_native();
    runtime::Task<std::optional<LoggedIn>> check(mysql::Login login, std::string answer);
    runtime::Task<LoginVerdict> verdict(LoginAttempt attempt);
    runtime::Task<void> refuse(ServerFailure failure);

    Worker& worker_;
    Client& client_;
    runtime::Event& routing_changed_;
    mysql::Nonce nonce_;
    core::Instant deadline_;
    uint8_t sequence_ = 0;  // of the next packet, either way
};

runtime::Task<void> Login::refuse(ServerFailure failure) {
    [[maybe_unused]] bool is_told = co_await reply_error(worker_, client_, sequence_, std::move(failure));
}

runtime::Task<bool> Login::await_accounts() {
    while (worker_.routing()->accounts->accounts().empty()) {
        auto outcome = co_await routing_changed_.wait(deadline_);
        if (outcome == runtime::Outcome::ready) {
            continue;
        }
        std::string why = worker_.routing()->accounts_why;
        ServerFailure failure = own_failure(
            mysql::kErrorUnknown,
            "trilith: the accounts are not known yet" + (why.empty() ? "" : ": " + why)
        );
        [[maybe_unused]] bool is_told =
            co_await reply_error(worker_, client_, 0, std::move(failure), mysql::ErrorForm::without_sqlstate);
        co_return false;
    }
    co_return true;
}

runtime::Task<bool> Login::greet(uint32_t session_id) {
    std::string version = greeting_version(*worker_.routing());
    std::string packet;
    mysql::PayloadWriter writer(packet);
    mysql::write_greeting(
        writer,
        {
            .version = version,
            .thread_id = session_id,
            .nonce = nonce_,
            .capabilities = offered_capabilities(),
            .collation = 45,
            .status = mysql::kStatusAutocommit,
            .plugin = mysql::kNativePassword,
        }
    );
    ssize_t sent = co_await client_.socket.send(worker_.buffers(), packet, deadline_);
    sequence_ = 1;
    co_return sent >= 0;
}

// The payload of the client's next packet.
runtime::Task<std::optional<std::string>> Login::read_answer() {
    for (;;) {
        std::string_view bytes = client_.buffer.bytes();
        if (bytes.size() >= mysql::kPacketHeaderSize) {
            mysql::PacketHeader header = mysql::read_packet_header(bytes);
            if (header.length > kAnswerMax || header.sequence != sequence_) {
                sequence_ = static_cast<uint8_t>(header.sequence + 1);
                ServerFailure failure =
                    own_failure(mysql::kErrorHandshake, "trilith: this is no login of the protocol");
                co_await refuse(std::move(failure));
                co_return std::nullopt;
            }
            if (bytes.size() >= mysql::kPacketHeaderSize + header.length) {
                std::string payload(bytes.substr(mysql::kPacketHeaderSize, header.length));
                client_.buffer.consume(mysql::kPacketHeaderSize + header.length);
                ++sequence_;
                co_return payload;
            }
        }
        ssize_t received = co_await client_.socket.receive(client_.buffer, deadline_);
        if (received <= 0) {
            co_return std::nullopt;
        }
    }
}

// The answer of a client whose plugin is another one: with a nonce of its own.
runtime::Task<std::optional<std::string>> Login::ask_for_native() {
    nonce_ = make_nonce(worker_);
    std::string packet;
    mysql::PayloadWriter writer(packet);
    writer.begin_packet();
    mysql::write_auth_switch(writer, {.plugin = mysql::kNativePassword, .nonce = mysql::view(nonce_)});
    sequence_ = writer.end_packet(sequence_);
    ssize_t sent = co_await client_.socket.send(worker_.buffers(), packet, deadline_);
    if (sent < 0) {
        co_return std::nullopt;
    }
    co_return co_await read_answer();
}

runtime::Task<LoginVerdict> Login::verdict(LoginAttempt attempt) {
    std::shared_ptr<const AccountList> accounts = worker_.routing()->accounts;
    LoginVerdict first = accounts->check(attempt);
    if (first.is_accepted()) {
        co_return first;
    }
    worker_.shared().watch.on_failed_login();
    core::Instant until = worker_.now() + kImportWait;
    auto outcome = runtime::Outcome::ready;
    while (outcome == runtime::Outcome::ready && worker_.routing()->accounts == accounts) {
        outcome = co_await routing_changed_.wait(until);
    }
    co_return worker_.routing()->accounts->check(attempt);
}

runtime::Task<std::optional<LoggedIn>> Login::check(mysql::Login login, std::string answer) {
    LoggedIn logged_in{
        .identity =
            {
                .user = std::string(login.user),
                .capabilities = client_.capabilities,
                .collation = login.collation,
                .client = client_.address,
            },
        .database = std::string(login.database),
    };
    LoginVerdict verdict_of = co_await verdict({
        .user = logged_in.identity.user,
        .answer = answer,
        .nonce = nonce_,
        .from = client_.address,
    });
    logged_in.sequence = sequence_;
    logged_in.nonce = nonce_;
    if (verdict_of.is_accepted()) {
        logged_in.identity.key = verdict_of.key;
        logged_in.identity.account = verdict_of.account->name();
        co_return logged_in;
    }
    worker_.counters().logins_failed.add();
    worker_.login_guard().note_failure(client_.address, worker_.now());
    ServerFailure failure = own_failure(verdict_of.error, std::move(verdict_of.message));
    co_await refuse(std::move(failure));
    co_return std::nullopt;
}

runtime::Task<std::optional<LoggedIn>> Login::begin(uint32_t session_id) {
    bool has_accounts = co_await await_accounts();
    if (!has_accounts) {
        co_return std::nullopt;
    }
    bool is_greeted = co_await greet(session_id);
    if (!is_greeted) {
        co_return std::nullopt;
    }
    std::optional<std::string> payload = co_await read_answer();
    if (!payload) {
        co_return std::nullopt;
    }
    auto login = mysql::read_login(*payload);
    if (!login) {
        ServerFailure failure = own_failure(mysql::kErrorHandshake, "trilith: " + login.error().context());
        co_await refuse(std::move(failure));
        co_return std::nullopt;
    }
    client_.capabilities = login->capabilities & offered_capabilities();
    std::optional<std::string> answer(login->auth_response);
    if (!login->plugin.empty() && login->plugin != mysql::kNativePassword) {
        answer = co_await ask_for_native();
    }
    if (!answer) {
        co_return std::nullopt;
    }
    co_return co_await check(*login, *std::move(answer));
}

runtime::Task<std::expected<LoggedIn, LoginEnd>> Login::change(std::string payload) {
    sequence_ = 1;
    auto login = mysql::read_change_user(payload, client_.capabilities);
    if (!login) {
        ServerFailure failure =
            own_failure(mysql::kErrorMalformedPacket, "trilith: " + login.error().context());
        co_await refuse(std::move(failure));
        co_return std::unexpected(LoginEnd::session);
    }
    if (login->collation > UINT8_MAX) {
        ServerFailure failure = own_failure(
            mysql::kErrorNotSupportedYet,
            "trilith: this collation cannot be had by a change of user; connect anew, or SET NAMES"
        );
        co_await refuse(std::move(failure));
        co_return std::unexpected(LoginEnd::session);
    }
    std::optional<std::string> answer(login->auth_response);
    if (!login->plugin.empty() && login->plugin != mysql::kNativePassword) {
        answer = co_await ask_for_native();
    }
    if (!answer) {
        co_return std::unexpected(LoginEnd::session);
    }
    std::optional<LoggedIn> changed = co_await check(*login, *std::move(answer));
    if (!changed) {
        co_return std::unexpected(LoginEnd::attempt);
    }
    co_return *std::move(changed);
}

}  // namespace

mysql::Capabilities offered_capabilities() {
    constexpr mysql::Capabilities kOfMariadb = 0x81FFF7FE;
    return (kOfMariadb | mysql::kBulkExecute | mysql::kExtendedMetadata) & ~mysql::kUntranslatable;
}

runtime::Task<std::optional<LoggedIn>> log_in(
    Worker& worker,
    Client& client,
    runtime::Event& routing_changed,
    uint32_t session_id
) {
    Login login(worker, client, routing_changed, make_nonce(worker));
    co_return co_await login.begin(session_id);
}

runtime::Task<std::expected<LoggedIn, LoginEnd>> change_user(
    Worker& worker,
    Client& client,
    runtime::Event& routing_changed,
    std::string payload,
    mysql::Nonce nonce
) {
    Login login(worker, client, routing_changed, nonce);
    co_return co_await login.change(std::move(payload));
}

}  // namespace sql

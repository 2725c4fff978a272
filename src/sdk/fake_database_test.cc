// The database server of the tests of Database.
#include "sdk/fake_database.h"

#include <future>
#include <list>
#include <thread>

#include <doctest/doctest.h>

#include "mysql/column_definition.h"
#include "mysql/greeting.h"
#include "mysql/native_password.h"
#include "mysql/ok_packet.h"
#include "net/listener.h"
#include "runtime/event.h"
#include "runtime/frame_pool.h"
#include "runtime/linux_os.h"
#include "runtime/task_group.h"
#include "sdk/served_program.h"

namespace trilith::sdk {

namespace {

constexpr mysql::Capabilities kFakeCapabilities =
    ~(mysql::kClientMysql | mysql::kUntranslatable | mysql::kTls | mysql::kExtendedMetadata);
constexpr mysql::Capabilities kFakeAgreed = mysql::kProtocol41 | mysql::kDeprecateEof | mysql::kSessionTrack;
constexpr uint32_t kFirstThread = 100;

std::string column_packet(uint8_t sequence, std::string_view name, mysql::ColumnType type) {
    std::string text;
    mysql::PayloadWriter writer(text);
    writer.begin_packet();
    writer.length_encoded_string("def");
    for (int at = 0; at < 3; ++at) {
        writer.length_encoded_string("");
    }
    writer.length_encoded_string(name);
    writer.length_encoded_string("");
    writer.u8(12);
    writer.u16(45);
    writer.u32(400);
    writer.u8(static_cast<uint8_t>(type));
    writer.zeros(5);
    static_cast<void>(writer.end_packet(sequence));
    return text;
}

template <class Value>
std::string fake_rows(
    std::string_view column,
    mysql::ColumnType type,
    const std::vector<Value>& rows,
    void (*write)(mysql::PayloadWriter&, const Value&)
) {
    std::string text;
    mysql::PayloadWriter writer(text);
    writer.begin_packet();
    writer.u8(1);
    static_cast<void>(writer.end_packet(1));
    text += column_packet(2, column, type);
    uint8_t sequence = 3;
    for (const Value& row : rows) {
        writer.begin_packet();
        writer.u16(0);  // a row, no NULL
        write(writer, row);
        sequence = writer.end_packet(sequence);
    }
    static_cast<void>(mysql::write_end_of_rows(writer, sequence, {.status = 2}, kFakeAgreed));
    return text;
}

}  // namespace

std::string fake_ok(std::string_view gtid) {
    std::string track;
    if (!gtid.empty()) {
        std::string entry;
        mysql::PayloadWriter inner(entry);
        inner.length_encoded_string("last_gtid");
        inner.length_encoded_string(gtid);
        mysql::PayloadWriter outer(track);
        outer.u8(0);
        outer.length_encoded_string(entry);
    }
    std::string text;
    mysql::PayloadWriter writer(text);
    mysql::OkPacket ok{.affected_rows = 1, .last_insert_id = 9, .status = 2, .session_track = track};
    static_cast<void>(mysql::write_ok(writer, 1, ok, kFakeAgreed));
    return text;
}

std::string fake_error(uint16_t number, std::string_view sqlstate, std::string_view message) {
    std::string text;
    mysql::PayloadWriter writer(text);
    static_cast<void>(
        mysql::write_error(writer, 1, {.number = number, .sqlstate = sqlstate, .message = message})
    );
    return text;
}

std::string fake_texts(std::string_view column, const std::vector<std::string>& rows) {
    return fake_rows<std::string>(column, mysql::ColumnType::text, rows, [](auto& writer, const auto& row) {
        writer.length_encoded_string(row);
    });
}

std::string fake_numbers(std::string_view column, const std::vector<int64_t>& rows) {
    return fake_rows<int64_t>(column, mysql::ColumnType::big, rows, [](auto& writer, const auto& row) {
        writer.u64(static_cast<uint64_t>(row));
    });
}

struct FakeDatabase::Running {
    explicit Running(std::map<std::string, FakeAnswer, std::less<>> answers) : script(std::move(answers)) {}

    struct Session {
        explicit Session(Running& running, int fd)
            : socket(*running.reactor, fd), buffer(running.shared), killed(*running.reactor) {}

        net::Socket socket;
        net::ReadBuffer buffer;
        runtime::Event killed;
        bool is_released = false;
        uint32_t thread = 0;
    };

    runtime::Task<void> serve();
    runtime::Task<void> accept_all();
    runtime::Task<void> serve_one(int fd);
    runtime::Task<std::string> receive(Session& session);
    runtime::Task<bool> send(Session& session, std::string packets);
    runtime::Task<bool> answer(Session& session, std::string text);
    runtime::Task<bool> serve_command(Session& session, std::string payload);
    void kill(std::string_view text);

    // On its thread, awaited.
    template <class Call>
    void run(Call call) {
        std::promise<void> done;
        reactor->post([&] {
            call();
            done.set_value();
        });
        done.get_future().wait();
    }

    runtime::LinuxOs os;
    std::unique_ptr<runtime::Reactor> reactor = *runtime::Reactor::open(os);
    net::BufferPool pool;
    net::SharedReadBuffer shared{pool};
    std::optional<net::Listener> listener;
    std::string place;
    runtime::TaskGroup sessions_group{*reactor, SIZE_MAX};
    runtime::Event ending{*reactor};
    std::list<Session*> sessions;
    uint32_t threads = kFirstThread;
    std::map<std::string, FakeAnswer, std::less<>> script;
    std::vector<std::string> heard;
    std::vector<std::string> statements;
    std::string last_execution;
    std::thread thread;
};

runtime::Task<void> FakeDatabase::Running::serve() {
    sessions_group.spawn(accept_all());
    co_await ending.wait();
    sessions_group.request_stop();
    co_await sessions_group.join();
    listener.reset();
}

runtime::Task<void> FakeDatabase::Running::accept_all() {
    for (;;) {
        sockaddr_storage peer{};
        ssize_t fd = co_await listener->accept(peer);
        if (fd < 0) {
            co_return;
        }
        sessions_group.spawn(serve_one(static_cast<int>(fd)));
    }
}

runtime::Task<std::string> FakeDatabase::Running::receive(Session& session) {
    for (;;) {
        std::string_view bytes = session.buffer.bytes();
        if (bytes.size() >= mysql::kPacketHeaderSize) {
            size_t size = mysql::kPacketHeaderSize + mysql::read_packet_header(bytes).length;
            if (bytes.size() >= size) {
                std::string payload(bytes.substr(mysql::kPacketHeaderSize, size - mysql::kPacketHeaderSize));
                session.buffer.consume(size);
                co_return payload;
            }
        }
        ssize_t received = co_await session.socket.receive(session.buffer, core::Instant::never());
        if (received <= 0) {
            co_return std::string();
        }
    }
}

runtime::Task<bool> FakeDatabase::Running::send(Session& session, std::string packets) {
    ssize_t sent = co_await session.socket.send(pool, packets, core::Instant::never());
    co_return sent >= 0;
}

runtime::Task<void> FakeDatabase::Running::serve_one(int fd) {
    Session session(*this, fd);
    session.thread = ++threads;
    auto place_in_list = sessions.insert(sessions.end(), &session);
    std::string greeting;
    mysql::PayloadWriter writer(greeting);
    mysql::Nonce nonce;
    nonce.fill('n');
    mysql::write_greeting(
        writer,
        {.version = "5.5.5-10.11.19-MariaDB",
         .thread_id = session.thread,
         .nonce = nonce,
         .capabilities = kFakeCapabilities,
         .collation = 45,
         .plugin = mysql::kNativePassword}
    );
    bool goes_on = co_await send(session, greeting);
    std::string login = co_await receive(session);
    heard.emplace_back("login");
    std::string ok;
    mysql::PayloadWriter ok_writer(ok);
    static_cast<void>(mysql::write_ok(ok_writer, 2, {.status = 2}, kFakeAgreed));
    goes_on = goes_on && co_await send(session, ok);
    while (goes_on) {
        std::string payload = co_await receive(session);
        if (payload.empty()) {
            break;
        }
        goes_on = co_await serve_command(session, payload);
    }
    sessions.erase(place_in_list);
}

runtime::Task<bool> FakeDatabase::Running::serve_command(Session& session, std::string payload) {
    std::string body = payload.substr(1);
    switch (static_cast<mysql::Command>(payload.front())) {
        case mysql::Command::quit: co_return false;
        case mysql::Command::query:
            heard.push_back(body);
            kill(body);
            co_return co_await answer(session, body);
        case mysql::Command::statement_prepare: {
            heard.push_back("prepare " + body);
            statements.push_back(body);
            std::string text;
            mysql::PayloadWriter writer(text);
            auto parameters = static_cast<uint16_t>(std::ranges::count(body, '?'));
            writer.begin_packet();
            writer.u8(0);
            writer.u32(static_cast<uint32_t>(statements.size()));
            writer.u16(0);
            writer.u16(parameters);
            writer.zeros(3);
            uint8_t sequence = writer.end_packet(1);
            for (uint16_t at = 0; at < parameters; ++at) {
                text += column_packet(sequence++, "?", mysql::ColumnType::text);
            }
            co_return co_await send(session, text);
        }
        case mysql::Command::statement_execute: {
            mysql::PayloadReader reader(body);
            uint32_t id = reader.u32();
            REQUIRE((id >= 1 && id <= statements.size()));
            last_execution = payload;
            heard.push_back("execute " + statements[id - 1]);
            co_return co_await answer(session, statements[id - 1]);
        }
        case mysql::Command::statement_close: heard.emplace_back("close"); co_return true;
        default: co_return false;
    }
}

runtime::Task<bool> FakeDatabase::Running::answer(Session& session, std::string text) {
    // What is sent as text names its request behind it, each another one.
    auto found = script.find(text.substr(0, text.find(" /* request=")));
    FakeAnswer said = found == script.end() ? FakeAnswer{.packets = fake_ok()} : found->second;
    if (said.way == FakeAnswer::Way::breaks) {
        co_return false;
    }
    if (said.way == FakeAnswer::Way::hangs) {
        runtime::Outcome outcome = co_await session.killed.wait();
        if (outcome != runtime::Outcome::ready) {
            co_return false;
        }
        if (!std::exchange(session.is_released, false)) {
            said.packets = fake_error(1317, "70100", "Query execution was interrupted");
        }
    }
    co_return co_await send(session, said.packets.empty() ? fake_ok() : said.packets);
}

void FakeDatabase::Running::kill(std::string_view text) {
    for (Session* session : sessions) {
        if (text == "KILL QUERY " + std::to_string(session->thread)) {
            session->killed.set();
        }
    }
}

FakeDatabase::FakeDatabase(std::map<std::string, FakeAnswer, std::less<>> script)
    : running_(std::make_unique<Running>(std::move(script))) {
    Running& running = *running_;
    auto address = *net::Address::parse_host("127.0.0.1");
    running.listener.emplace(*net::Listener::open(*running.reactor, address, {}));
    running.place = running.listener->address().to_string();
    running.thread = std::thread([&running] {
        running.reactor->run(running.serve());
        runtime::release_free_frames();
    });
}

FakeDatabase::~FakeDatabase() {
    running_->reactor->post([this] { running_->ending.set(); });
    running_->thread.join();
}

std::string FakeDatabase::url() const { return "mysql://app:secret@" + running_->place + "/shop"; }

std::vector<std::string> FakeDatabase::heard() {
    std::vector<std::string> copy;
    running_->run([&] { copy = running_->heard; });
    return copy;
}

size_t FakeDatabase::count(std::string_view what) {
    std::vector<std::string> all = heard();
    return static_cast<size_t>(std::ranges::count_if(all, [&](const std::string& one) {
        return std::string_view(one).starts_with(what);
    }));
}

std::string FakeDatabase::sent() {
    std::string copy;
    running_->run([&] { copy = running_->last_execution; });
    return copy;
}

void FakeDatabase::await(std::string_view what, size_t wanted) {
    core::Instant deadline = running_->os.now() + std::chrono::seconds(kPatienceSeconds);
    while (count(what) < wanted) {
        REQUIRE_MESSAGE(running_->os.now() < deadline, what);
        std::this_thread::yield();
    }
}

void FakeDatabase::release() {
    running_->run([&] {
        for (Running::Session* session : running_->sessions) {
            session->is_released = true;
            session->killed.set();
        }
    });
}

void FakeDatabase::set_answer(const std::string& text, FakeAnswer answer) {
    running_->run([&] { running_->script[text] = std::move(answer); });
}

void FakeDatabase::close_connections() {
    running_->run([&] {
        for (Running::Session* session : running_->sessions) {
            session->socket.shutdown_write();
        }
    });
}

}  // namespace trilith::sdk

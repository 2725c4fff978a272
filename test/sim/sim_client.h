// A simulated client: sends requests one after the other on a connection it keeps, notes every answer, and
// never retries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "net/address.h"
#include "net/socket.h"
#include "runtime/task.h"
#include "sim/plain_http.h"
#include "sim/traffic.h"

namespace sim {

enum class RequestKind : uint8_t { get, head, post, chunked_post };

struct ClientPlan {
    net::Address target;
    std::string host = "site.example";
    uint64_t first_id = 1;  // the requests have this number and the following ones
    size_t requests = 10;
    uint32_t post_percent = 30;
    uint32_t leave_percent = 0;           // closes the connection after an answer and comes back with another
    core::Duration think_max{3'000'000};  // before each request
    core::Duration patience{600'000'000'000};
};

// What came of one request.
struct Answer {
    uint64_t id;
    RequestKind kind;
    int status = 0;              // 0: no whole answer came
    bool has_begun = false;      // the head of an answer came
    bool is_body_right = false;  // of a 200: the body that belongs to the number
    std::string origin;          // who answered, "" for the balancer's own answers
    core::Duration took{0};

    [[nodiscard]] bool is_post() const {
        return kind == RequestKind::post || kind == RequestKind::chunked_post;
    }
};

class SimClient {
public:
    SimClient(runtime::Reactor& reactor, ClientPlan plan, uint64_t seed)
        : reactor_(reactor), plan_(std::move(plan)), random_(seed) {}

    // Sends all requests; ends early only when it is asked to stop.
    [[nodiscard]] runtime::Task<void> run();

    [[nodiscard]] const std::vector<Answer>& answers() const { return answers_; }

private:
    [[nodiscard]] runtime::Task<void> exchange(Answer& answer);
    [[nodiscard]] runtime::Task<std::optional<PlainMessage>> read_answer(
        RequestKind kind,
        core::Instant deadline
    );
    [[nodiscard]] std::string request_text(const Answer& answer);
    [[nodiscard]] RequestKind draw_kind();
    void note_broken(Answer& answer) const;
    void drop_connection();

    runtime::Reactor& reactor_;
    ClientPlan plan_;
    core::Random random_;
    PeerMemory memory_;
    std::optional<net::Socket> socket_;
    std::string received_;
    std::vector<Answer> answers_;
};

}  // namespace sim

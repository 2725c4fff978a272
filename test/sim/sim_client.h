// A simulated client: sends requests on a connection it keeps, notes every answer, and never retries.
// Requests pipelined behind an answer that ends the connection were not taken: it sends those again (RFC 9112
// section 9.3.2).
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
    uint32_t pipeline_percent = 20;       // sends up to four GET and HEAD requests at once
    uint32_t slow_percent = 15;           // sends in pieces and reads with pauses
    uint32_t old_percent = 0;             // asks in HTTP/1.0
    uint32_t expect_percent = 0;          // of the POSTs: sends the body after a 100 Continue, or a second
    uint32_t abandon_percent = 0;         // leaves without waiting for the answer, or before all is sent
    core::Duration think_max{3'000'000};  // before each request
    core::Duration patience{600'000'000'000};
};

// What came of one request.
struct Answer {
    uint64_t id;
    RequestKind kind;
    int status = 0;              // 0: no whole answer came
    bool has_begun = false;      // the head of an answer came
    bool is_old = false;         // asked in HTTP/1.0
    bool is_expecting = false;   // asked for a 100 Continue
    bool was_continued = false;  // and got one
    bool has_interim = false;    // interim responses came before it, which HTTP/1.0 does not know
    bool is_open_ended = false;  // the end of the connection is the end of its body
    bool is_abandoned = false;   // the client left and does not know what came of it
    bool is_body_right = false;  // of a 200: the body that belongs to the number, in a form that was asked
                                 // for
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
    enum class Pace : uint8_t { quick, slow };

    [[nodiscard]] std::vector<Answer> draw_batch();
    [[nodiscard]] Answer draw_request(uint64_t id);
    [[nodiscard]] RequestKind draw_kind();
    [[nodiscard]] runtime::Task<void> exchange(std::vector<Answer>& batch);
    [[nodiscard]] runtime::Task<bool> connect(core::Instant deadline);
    [[nodiscard]] runtime::Task<void> send(std::string text, Pace pace, core::Instant deadline);
    [[nodiscard]] runtime::Task<bool> await_continue(Answer& answer, core::Instant deadline);
    [[nodiscard]] runtime::Task<void> abandon(
        std::vector<Answer>& batch,
        std::string text,
        core::Instant deadline
    );
    // The answer to one request. False: the connection is of no further use.
    [[nodiscard]] runtime::Task<bool> receive(Answer& answer, Pace pace, core::Instant deadline);
    [[nodiscard]] runtime::Task<std::optional<PlainMessage>> read_answer(
        Answer& answer,
        Pace pace,
        core::Instant deadline
    );
    [[nodiscard]] std::string request_text(const Answer& answer);
    [[nodiscard]] bool draw(uint32_t percent) { return random_.below(100) < percent; }
    [[nodiscard]] auto pause(uint64_t microseconds_max);
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

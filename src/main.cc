// The program: reads what the command line asks for and does it.
#include <sys/prctl.h>

#include <string>
#include <variant>

#include "child/exec_child.h"
#include "node/drill/command.h"
#include "node/up/command.h"
#include "node/verbs/check_command.h"
#include "node/verbs/client_verbs.h"
#include "node/verbs/command_line.h"
#include "node/verbs/database_verbs.h"
#include "node/verbs/explain_command.h"
#include "node/verbs/logs_command.h"
#include "node/verbs/migrate_command.h"
#include "node/verbs/order_verbs.h"
#include "node/verbs/serve_command.h"
#include "node/verbs/sql_client.h"
#include "node/verbs/status_command.h"
#include "runtime/linux_os.h"

namespace {

// Each verb's exit status: 0 done, 1 it could not be done, 2 wrong usage or configuration.
struct Story {
    node::Console& console;

    int operator()(const node::PrintOptions& options) const {
        console.out(options.text);
        return 0;
    }

    int operator()(const node::CheckOptions& options) const { return node::check(options, console); }

    int operator()(const node::ExplainOptions& options) const { return node::explain(options, console); }

    int operator()(const node::ServeOptions& options) const { return node::serve(options); }

    int operator()(const node::UpOptions& options) const { return node::up(options); }

    int operator()(const node::MigrateOptions& options) const { return node::migrate(options, console); }

    // All other verbs speak to a running site.
    int operator()(const auto& options) const { return node::run(options, console); }
};

}  // namespace

int main(int argc, char** argv) {
    // Not a verb for people: the guard of one instance of the site's program, which must stay small.
    if (argc > 1 && std::string_view(argv[1]) == child::kExecChildVerb) {
        return child::exec_child(argc, argv);
    }
    ::prctl(PR_SET_NAME, "trilith");  // /proc/self/exe, by which one of us starts another, would be "exe"
    runtime::LinuxOs os;
    node::Console console = node::process_console(os);
    auto command = node::parse_command_line({argv + 1, static_cast<size_t>(argc > 1 ? argc - 1 : 0)});
    if (!command) {
        console.err("trilith: " + command.error().context() + "\n");
        return 2;
    }
    return std::visit(Story{console}, *command);
}

"""What is known of a message of the log beyond its words: what it means for whoever reads it, and what to do.

By module and beginning of the text as `docs.made.log_calls` shows it; a test holds each to a message that there is.
Those that say themselves what to do, or ask for nothing, are not here.
"""

from collections.abc import Mapping

ADVICE: Mapping[tuple[str, str], str] = {
    # The master
    ("master/main.py", "<warning>"): "What is odd about the options, such as an unknown `WSGID_...` variable.",
    ("master/options_in_use.py", "<warning>"): "The same, when a restart has read the options again.",
    ("master/main.py", "the start failed"): (
        "The line says why; the terminal had it as well. Nothing is left behind, and the exit code is 1."
    ),
    ("master/starting.py", "the start failed"): (
        "No worker could load the application in time. Its traceback stands in the lines of the worker above."
    ),
    ("master/main.py", "the master ends over a mistake"): "A fault of wsgid: please report it with the traceback.",
    ("master/main.py", "something of this daemon stays behind"): (
        "Remove it by hand; the next start also removes what no living daemon has."
    ),
    ("master/starting.py", "<line>"): (
        "`wsgid PID serves ADDRESS with N workers`, for each address: requests are served from now on."
    ),
    (
        "master/confined.py",
        "<text> cannot read",
    ): "The application would fail to import that: `chmod` as it says.",
    ("master/deaths.py", "a worker could not be forked"): (
        "The system refuses a process: look at `ulimit -u`, `TasksMax=` of a systemd unit, `pids.max` of a container."
    ),
    ("master/deaths.py", "no worker is left"): "The last one has died, and `--no-keep-alive` says to start none anew.",
    ("master/deaths.py", "<text><again>;"): (
        "Something dies again and again before it serves, so the next try waits, up to 30 s. The reason stands above."
    ),
    ("master/deaths.py", "dispatcher <pid> died"): (
        "It ends with all of the daemon, or *a new one takes over*: HTTP clients saw their connections close "
        "([endings.md](endings.md#the-dispatcher-dies-or-falls-silent)). Killed for want of memory: see "
        "`--answer-memory-total`."
    ),
    ("master/actions.py", "worker <pid> died"): "As the dispatcher says it otherwise; here none was there.",
    ("master/lateness.py", "worker <pid> <what> will be replaced"): (
        "A request has reached `--timeout`, or was ended by `wsgid request kill`. The stacks, in the next record, show "
        "where each thread was. ([endings.md](endings.md#the-application-takes-too-long))"
    ),
    ("master/lateness.py", "<state>: its stacks follow"): (
        "A worker has not loaded the application within `--start-timeout`. The stacks show what it waits for; if it is "
        "only slow, give it more."
    ),
    ("master/lateness.py", "worker <pid> has not left in time"): (
        "Its requests took longer than `--graceful-timeout`; they get 502, or are cut."
    ),
    ("master/lateness.py", "worker <pid> <still>"): "Say `--timeout`, and such a worker is replaced.",
    ("master/silence.py", "dispatcher <pid> <what>"): (
        "It was stopped (a debugger, SIGSTOP), or did not answer for five seconds: look for a disk that hangs, or a "
        "machine with far too much to do."
    ),
    ("master/stopping.py", "<unfinished> unfinished requests"): "They took longer than `--graceful-timeout`.",
    ("master/stopping.py", "still there"): (
        "The kernel does not end these processes: usually a file system that does not answer. Mend that, or start "
        "the machine anew."
    ),
    ("master/restarts.py", "<note>"): "An option that only a new start can change has changed in `wsgid.json`.",
    (
        "master/restarts.py",
        "<reason>",
    ): "`wsgid.json` cannot be used: the old options stay in force.",
    ("master/restarts.py", "<text>"): "How the restart goes, as `wsgid restart` shows it.",
    ("master/replacing.py", "worker <pid> is to be replaced"): "It has reached `--max-requests` or `--max-rss`.",
    ("master/listeners.py", "serving the sockets that systemd"): "`--bind` is for starts without them. Leave it away.",
    ("master/processes.py", "worker <worker> has no pid file"): "It serves; commands that go by pid files miss it.",
    (
        "master/daemon.py",
        "<reason>: <text>",
    ): "What the terminal was to be told, which is gone.",
    # The dispatcher
    ("dispatcher/workers.py", "worker <pid> died"): (
        "Killed, crashed or out of memory, with the request that it had in hand. The stacks stand above when the "
        "interpreter crashed. ([endings.md](endings.md#a-worker-dies-with-the-request-in-hand))"
    ),
    ("dispatcher/workers.py", "worker <pid> is gone"): "Its connections have ended; how it died comes in another line.",
    ("dispatcher/workers.py", "a process of user id"): (
        "Somebody else's process has found the daemon's socket. Who may enter `run/`? It is made with mode 0700."
    ),
    ("dispatcher/workers.py", "a worker's call could not be taken"): (
        "Too many open files, as a rule: raise `ulimit -n`, or `LimitNOFILE` of a systemd unit."
    ),
    ("dispatcher/dispatch.py", "<method> <path> is refused"): (
        "`--quarantine`: this request kills workers. The lines about their deaths stand above."
    ),
    (
        "dispatcher/dispatch.py",
        "worker <pid>: one more request",
    ): "The stacks are in the log already.",
    ("dispatcher/edges/client.py", "request <id>: <opened>"): (
        'The file of an upload could not be opened, and why: see [bodies.md](bodies.md), "Whose the files are".'
    ),
    ("dispatcher/edges/client.py", "request <id>: the answer is cut"): (
        "The head was sent, so the client can only be told by the end of the connection."
    ),
    ("dispatcher/edges/http_connection.py", "the body of a request could not be stored"): (
        "The file system of `--run-dir` is full or refuses. The client gets 500."
    ),
    ("dispatcher/edges/mongrel2.py", "<text>"): "Why a message of Mongrel2 was not served.",
    ("dispatcher/edges/mongrel2.py", "<doubt>"): "What was not believed of a request, and why.",
    ("dispatcher/edges/mongrel2.py", "a message that Mongrel2 does not write"): (
        "Something else sends to `--recv`, or Mongrel2 speaks another protocol. Who may connect there?"
    ),
    ("dispatcher/edges/mongrel2.py", "Mongrel2 went away"): (
        "It counts its connections anew after a restart: an answer might reach a stranger, so it is dropped."
    ),
    ("dispatcher/edges/mongrel2_connection.py", "request <id>: <reason>"): (
        "The answer could not go on as it was begun; the client is cut."
    ),
    ("dispatcher/edges/mongrel2_link.py", "Mongrel2 at <send to> is gone"): "It is served again as soon as it is back.",
    ("dispatcher/edges/mongrel2_link.py", "no connection to Mongrel2's send_spec"): (
        "Is Mongrel2 running, and is `--recv` its handler's `send_spec`? An `ipc://` socket of Mongrel2's can only be "
        "connected to by its own user and root."
    ),
    (
        "dispatcher/edges/streamed_uploads.py",
        "request <id>: <reason>",
    ): "Why the upload was given up.",
    ("dispatcher/main.py", "the master is gone"): (
        "Somebody killed it, or the kernel did for want of memory. What is in progress is finished; start it again."
    ),
    ("dispatcher/main.py", "stopping: <unfinished>"): "They took longer than `--graceful-timeout`.",
    ("dispatcher/orphans.py", "worker <pid> has not left in time"): "The master is dead, so the dispatcher does it.",
    ("dispatcher/storage.py", "what slow clients have yet to take"): (
        "The file system of `--run-dir` is full or refuses. No answer is lost; workers are busy longer."
    ),
    ("dispatcher/access_log.py", "the access log could not be written"): "The disk was full, or the pipe was not read.",
    # The worker
    ("worker/main.py", "<reason>"): "Why the application cannot be loaded, with its traceback.",
    ("worker/serve.py", "<request>: the application failed"): (
        "The exception that it raised, with its traceback. The client gets 500, or a cut if the answer had begun."
    ),
    ("worker/serve.py", "<request>: <reason>"): "A rule of PEP 3333 that the application broke, and what to do.",
    (
        "worker/serve.py",
        "<request>: close() failed",
    ): "The client has its answer all the same.",
    ("worker/serve.py", "<request>: its client has left"): "Nothing is wrong: the access log has 499.",
    ("worker/control.py", "request <request id> is to end"): (
        "`--timeout` or `wsgid request kill`: an exception is raised in the application, at the line with which the "
        "record ends."
    ),
    ("worker/control.py", "leaving"): "After a restart, `--max-requests`, SIGTERM and the like; *left* follows.",
    ("worker/control.py", "the connection to the dispatcher is lost"): "It was replaced. The worker calls the new one.",
    ("worker/take.py", "a process that the application forked"): (
        "Its `os.fork()` must end the child with `os._exit()`; `multiprocessing` and `subprocess` do."
    ),
    ("worker/take.py", "thread <thread>: a fault in wsgid"): "Please report it with the traceback.",
    ("worker/take.py", "thread <thread>: the dispatcher broke"): "Please report it.",
    ("worker/filters/complaints.py", "<named> failed in"): (
        "The request goes on without that filter ([filters.md](filters.md#a-filter-that-fails))."
    ),
    ("worker/filters/complaints.py", "<named> returned"): (
        "The request goes on without that filter ([filters.md](filters.md#a-filter-that-fails))."
    ),
    ("worker/filters/complaints.py", "request <request id>: the answer passes"): (
        "`needs_body = False` avoids it ([filters.md](filters.md#which-answers-pass-a-filter-by))."
    ),
    ("loaders/load.py", "<text>; it is passed over"): "A loader of yours raised in `can_load`; the next one is asked.",
    ("plugins/loading.py", "plug-ins of <source> cannot be loaded"): (
        "The daemon serves without them. `wsgid plugins` shows it again, after you have mended it."
    ),
    # All of them
    (
        "logs/main_log.py",
        "the log is not reopened",
    ): "After USR1: may the daemon's user write to `logs/`?",
    ("upload_journal.py", "the uploads noted in a dead daemon's"): (
        "The folder belongs to somebody else or others may write to it. Remove the files by hand, and `chmod 0700` it."
    ),
}

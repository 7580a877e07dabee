"""The worker process: loads the application, then takes one request at a time and gives back its answer.

In the order of a request: `main` loads the application and starts the threads, `take` is the life of one thread,
`channel` its connection to the dispatcher; `serve` is the whole story of one request, with `environ` and `body` on the
way in and `response` (judged by `checks`) on the way out. `control` hears, in a thread of its own, what must be heard
while the application runs.
"""

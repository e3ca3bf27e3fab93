#include "msa/console/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "msa/base/view.h"
#include "msa/console/metrics_private.h"

/* A figure: where it stands in a role's status, and what it is called outside. Names are for ever:
 * dashboards know them. Times and sizes are in base units. */
static const struct figure {
    const char *role;
    const char *path; /* "exchanges.started" */
    enum metric_kind kind;
    const char *name;
    const char *help;
} figures[] = {
    {"smtp", "sessions", GAUGE, "msad_sessions", "Sessions open now."},
    {"smtp", "strangers", GAUGE, "msad_sessions_before_auth", "Of those, the ones not signed in."},
    {"smtp", "sessions_ever", COUNTER, "msad_sessions_opened", "Sessions since the start."},
    {"smtp", "refused_ever", COUNTER, "msad_connections_refused",
     "Connections for which there was no room."},
    {"smtp", "missing_scores", COUNTER, "msad_score_missing",
     "Messages that went on without a score: none came in time."},
    {"smtp", "late_answers", COUNTER, "msad_late_answers",
     "Answers of other roles that came after their deadline."},
    {"auth", "accounts", GAUGE, "msad_accounts", "Accounts in the store."},
    {"auth", "exchanges.succeeded", COUNTER, "msad_auth_succeeded", "AUTH exchanges that were good."},
    {"auth", "exchanges.failed", COUNTER, "msad_auth_failed", "AUTH exchanges that were not."},
    {"auth", "exchanges.running", GAUGE, "msad_auth_running", "AUTH exchanges under way."},
    {"auth", "queued", GAUGE, "msad_auth_queued", "Passwords that wait to be checked."},
    {"auth", "cache.hits", COUNTER, "msad_auth_cache_hits", "Passwords that did not have to be derived again."},
    {"auth", "cache.misses", COUNTER, "msad_auth_cache_misses", "Passwords that did."},
    {"auth", "exchanges.turned_away", COUNTER, "msad_auth_turned_away",
     "AUTH exchanges for which there was no room."},
    {"policy", "questions.connect.refused", COUNTER, "msad_policy_connect_refused",
     "Connections that policy refused."},
    {"policy", "questions.mail.refused", COUNTER, "msad_policy_sender_refused",
     "Senders that policy refused."},
    {"policy", "questions.quota.refused", COUNTER, "msad_policy_quota_refused",
     "Messages beyond a quota."},
    {"policy", "failed_logins", COUNTER, "msad_policy_logins_failed", "Sign-ins that failed."},
    {"policy", "questions.connect.asked", COUNTER, "msad_policy_connect_asked", "Connections that policy was asked about."},
    {"policy", "questions.login.asked", COUNTER, "msad_policy_login_asked", "Sign-ins that policy was asked about."},
    {"policy", "questions.login.refused", COUNTER, "msad_policy_login_refused",
     "Sign-ins that policy refused, or whose password was wrong."},
    {"policy", "questions.mail.asked", COUNTER, "msad_policy_sender_asked", "Senders that policy was asked about."},
    {"policy", "questions.quota.asked", COUNTER, "msad_policy_quota_asked", "Messages that asked for their quota."},
    {"policy", "questions.route.asked", COUNTER, "msad_policy_route_asked", "Messages that asked for their way."},
    {"policy", "questions.route.refused", COUNTER, "msad_policy_route_refused", "Messages that policy refused at their end."},
    {"policy", "shadow_routes", COUNTER, "msad_policy_shadow_routes", "Messages that a route in shadow would have taken."},
    {"policy", "mailbox.asked", COUNTER, "msad_mailbox_asked", "Sign-ins that POP and IMAP servers asked about."},
    {"policy", "mailbox.refused", COUNTER, "msad_mailbox_refused", "Of those, the ones that policy refused."},
    {"policy", "mailbox.accesses", COUNTER, "msad_mailbox_accesses", "Sign-ins that those servers reported."},
    {"policy", "mailbox.failures", COUNTER, "msad_mailbox_failures", "Failed sign-ins that they reported."},
    {"policy", "events", COUNTER, "msad_policy_events", "Decisions by the rules."},
    {"policy", "undecided", COUNTER, "msad_policy_undecided",
     "Decisions that passed because the counters could not answer."},
    {"policy", "suspensions", COUNTER, "msad_policy_suspensions", "Accounts that were suspended, by a rule or by hand."},
    {"policy", "overseas_refusals", COUNTER, "msad_policy_overseas_refused",
     "Sign-ins refused because the account is blocked overseas."},
    {"policy", "suspended_accounts", GAUGE, "msad_suspended_accounts", "Accounts that are suspended now."},
    {"policy", "rules", GAUGE, "msad_policy_rules", "Rules in force, those in shadow included."},
    {"policy", "counters.accounts", GAUGE, "msad_counters_accounts", "Accounts with counters."},
    {"policy", "counters.sources", GAUGE, "msad_counters_sources", "Sources with counters."},
    {"policy", "counters.used_bytes", GAUGE, "msad_counters_used_bytes", "Space that the counters take."},
    {"policy", "counters.max_bytes", GAUGE, "msad_counters_max_bytes", "Space that they may take."},
    {"policy", "counters.evicted", COUNTER, "msad_counters_evicted", "Counters that went to make room."},
    {"policy", "notices.told", COUNTER, "msad_notices", "Matters that were told to somebody."},
    {"policy", "notices.failed", COUNTER, "msad_notices_failed", "Matters that could not be kept to be told."},
    {"policy", "notices.outbox.sent", COUNTER, "msad_outbox_mails_sent", "Notices that were sent by mail."},
    {"policy", "notices.outbox.called", COUNTER, "msad_outbox_calls_sent", "Calls to programs that were taken."},
    {"policy", "notices.outbox.retried", COUNTER, "msad_outbox_retries", "Notices and calls that have to be tried again."},
    {"policy", "notices.outbox.given_up", COUNTER, "msad_outbox_given_up", "Notices and calls that were given up."},
    {"policy", "notices.outbox.under_way", GAUGE, "msad_outbox_under_way", "Notices and calls that are tried just now."},
    {"score", "asked", COUNTER, "msad_score_asked", "Messages that were to be scored."},
    {"score", "scored", COUNTER, "msad_score_scored", "Messages that got a score."},
    {"score", "neutral", COUNTER, "msad_score_neutral",
     "Messages that got the neutral score: nothing had answered, or there was no room."},
    {"score", "late", COUNTER, "msad_score_late",
     "Scores from which something was missing at the deadline."},
    {"score", "failed", COUNTER, "msad_score_failed", "Messages that could not be read."},
    {"score", "dropped", COUNTER, "msad_score_dropped", "Messages whose session was gone."},
    {"score", "full", COUNTER, "msad_score_full", "Messages for which there was no room."},
    {"score", "open", GAUGE, "msad_score_open", "Messages that are being scored now."},
    {"score", "bytes", COUNTER, "msad_score_read_bytes", "Octets of messages that were read."},
    {"score", "classifier.ham", GAUGE, "msad_score_learnt_ham",
     "Messages of ham that the classifier in force has learnt from."},
    {"score", "classifier.spam", GAUGE, "msad_score_learnt_spam", "The same of spam."},
    {"relay", "handed_over_count", COUNTER, "msad_messages_handed_over",
     "Messages whose 250 was the smarthost's own."},
    {"relay", "queued_count", COUNTER, "msad_messages_queued",
     "Messages whose 250 was for a place in the queue."},
    {"relay", "refused_count", COUNTER, "msad_messages_refused", "Messages the smarthost refused."},
    {"relay", "failed_count", COUNTER, "msad_messages_failed",
     "Messages the client was told to bring again."},
    {"relay", "bounce_count", COUNTER, "msad_bounces", "Reports of failure to senders."},
    {"relay", "dkim.signed_count", COUNTER, "msad_dkim_signed", "Attempts with a DKIM signature."},
    {"relay", "dkim.unsigned_count", COUNTER, "msad_dkim_unsigned",
     "Attempts without one, because there is no key for the domain in From."},
    {"relay", "dkim.failed_count", COUNTER, "msad_dkim_failed",
     "Attempts put off because the message could not be signed."},
    {"relay", "committing_count", GAUGE, "msad_queue_committing", "Messages that wait for the disk."},
    {"relay", "queue.ready", GAUGE, "msad_queue_ready", "Queued messages that are due."},
    {"relay", "queue.active", GAUGE, "msad_queue_active", "Queued messages under way."},
    {"relay", "queue.waiting", GAUGE, "msad_queue_waiting", "Queued messages that wait for a retry."},
    {"relay", "queue.held", GAUGE, "msad_queue_held", "Queued messages that are held."},
    {"relay", "queue.bytes", GAUGE, "msad_queue_bytes", "Size of all queued messages."},
    {"relay", "used_bytes", GAUGE, "msad_queue_used_bytes", "Disk space the queue takes."},
    {"relay", "free_bytes", GAUGE, "msad_queue_free_bytes", "Disk space that is left."},
    {"supervisor", "uptime_s", GAUGE, "msad_uptime_seconds", "Time since the start."},
    {"supervisor", "generation", GAUGE, "msad_config_generation", "Configurations tried so far."},
};

static const json_t *at_path(const json_t *object, const char *path)
{
    char key[64];
    struct view rest = view_cstr(path);
    while (rest.n > 0 && object) {
        if (!view_to_cstr(view_cut(&rest, '.'), key, sizeof key))
            return NULL;
        object = json_object_get(object, key);
    }
    return object;
}

void metrics_head(const struct metrics_writer *w, const char *name, enum metric_kind kind, const char *help)
{
    const char *suffix = w->is_openmetrics ? "" : metrics_suffix(kind);
    buf_addf(w->out, "# TYPE %s%s %s\n# HELP %s%s %s\n", name, suffix,
             kind == COUNTER ? "counter" : "gauge", name, suffix, help);
}

static void write_value(const char *name, enum metric_kind kind, const char *role, int64_t index,
                        int64_t value, const struct metrics_writer *w)
{
    buf_addf(w->out, "%s%s{role=\"%s\",index=\"%" PRId64 "\"} %" PRId64 "\n", name,
             metrics_suffix(kind), role, index, value);
}

static int64_t index_of(const json_t *status)
{
    return json_integer_value(json_object_get(status, "index"));
}

/* A process that is away, or does not know the figure, has no line: absent is not zero. */
static void write_figure(const json_t *statuses, const struct figure *f, const struct metrics_writer *w)
{
    size_t i;
    const json_t *status;
    bool has_head = false;
    json_array_foreach(json_object_get(statuses, f->role), i, status) {
        const json_t *value = at_path(status, f->path);
        if (!json_is_integer(value))
            continue;
        if (!has_head)
            metrics_head(w, f->name, f->kind, f->help);
        has_head = true;
        write_value(f->name, f->kind, f->role, index_of(status), json_integer_value(value), w);
    }
}

/* ---- what the supervisor knows of every process ---- */

static void write_processes(const json_t *processes, const char *name, enum metric_kind kind,
                            const char *help, const char *key, const struct metrics_writer *w)
{
    size_t i;
    const json_t *p;
    metrics_head(w, name, kind, help);
    json_array_foreach(processes, i, p) {
        const json_t *value = json_object_get(p, key);
        const char *state = json_string_value(value);
        const char *role = json_string_value(json_object_get(p, "role"));
        int64_t n = state ? strcmp(state, "ready") == 0 : json_integer_value(value);
        write_value(name, kind, role ? role : "", index_of(p), n, w);
    }
}

/* ---- what the score processes know of their services ---- */

static const struct service_figure {
    const char *key;
    const char *name;
    const char *help;
} service_figures[] = {
    {"asked", "msad_score_service_asked", "Messages that a service was asked about."},
    {"answered", "msad_score_service_answered", "Messages that a service answered for."},
    {"failed", "msad_score_service_failed", "Messages for which a service failed or was late."},
    {"skipped", "msad_score_service_skipped",
     "Messages that a service was not asked about: it had failed, or had too many."},
};

/* Names of the configuration: letters, digits, "-", "_" and ".". */
static void write_service(const struct service_figure *f, const json_t *status,
                          const json_t *service, const struct metrics_writer *w)
{
    const char *kind = json_string_value(json_object_get(service, "kind"));
    const char *name = json_string_value(json_object_get(service, "name"));
    const json_t *value = json_object_get(service, f->key);
    if (kind && name && json_is_integer(value))
        buf_addf(w->out,
                 "%s_total{role=\"score\",index=\"%" PRId64 "\",kind=\"%s\",service=\"%s\"} %" PRId64
                 "\n",
                 f->name, index_of(status), kind, name, (int64_t)json_integer_value(value));
}

static void write_service_figure(const json_t *statuses, const struct service_figure *f,
                                 const struct metrics_writer *w)
{
    size_t i, k;
    const json_t *status, *service;
    bool has_head = false;
    json_array_foreach(json_object_get(statuses, "score"), i, status) {
        json_array_foreach(json_object_get(status, "services"), k, service) {
            if (!has_head)
                metrics_head(w, f->name, COUNTER, f->help);
            has_head = true;
            write_service(f, status, service, w);
        }
    }
}

/* ---- what the score processes found, and since when they know what they know ---- */

static void write_verdicts(const json_t *statuses, const struct metrics_writer *w)
{
    size_t i;
    const json_t *status;
    const char *verdict;
    json_t *count;
    bool has_head = false;
    json_array_foreach(json_object_get(statuses, "score"), i, status) {
        json_object_foreach(json_object_get(status, "verdicts"), verdict, count) {
            if (!has_head)
                metrics_head(w, "msad_score_messages", COUNTER, "Messages by their score: suspect from 5, spam from 10 on.");
            has_head = true;
            buf_addf(w->out, "msad_score_messages_total{role=\"score\",index=\"%" PRId64 "\",verdict=\"%s\"} %" PRId64 "\n",
                     index_of(status), verdict, (int64_t)json_integer_value(count));
        }
    }
}

/* Nothing trained: no line. */
static void write_trained(const json_t *statuses, const struct metrics_writer *w)
{
    size_t i;
    const json_t *status;
    bool has_head = false;
    json_array_foreach(json_object_get(statuses, "score"), i, status) {
        int64_t ms = json_integer_value(at_path(status, "classifier.trained_ms"));
        if (ms <= 0)
            continue;
        if (!has_head)
            metrics_head(w, "msad_score_trained_timestamp_seconds", GAUGE, "When the classifier in force was trained.");
        has_head = true;
        write_value("msad_score_trained_timestamp_seconds", GAUGE, "score", index_of(status), ms / 1000, w);
    }
}

/* Nothing queued: no line. */
static void write_oldest(const json_t *statuses, const struct metrics_writer *w)
{
    const json_t *relay = json_array_get(json_object_get(statuses, "relay"), 0);
    int64_t ms = json_integer_value(json_object_get(relay, "oldest_arrived_ms"));
    if (ms <= 0)
        return;
    metrics_head(w, "msad_queue_oldest_timestamp_seconds", GAUGE, "When the oldest queued message came.");
    write_value("msad_queue_oldest_timestamp_seconds", GAUGE, "relay", index_of(relay), ms / 1000, w);
}

void metrics_write(const json_t *statuses, bool is_openmetrics, struct buf *out)
{
    const struct metrics_writer w = {out, is_openmetrics};
    const json_t *supervisor = json_array_get(json_object_get(statuses, "supervisor"), 0);
    const json_t *processes = json_object_get(supervisor, "processes");
    if (json_is_array(processes)) {
        write_processes(processes, "msad_process_up", GAUGE, "Whether the process serves.", "state",
                        &w);
        write_processes(processes, "msad_process_restarts", COUNTER,
                        "How often the process had to be started again.", "restarts", &w);
    }
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        write_figure(statuses, &figures[i], &w);
    for (size_t i = 0; i < sizeof service_figures / sizeof service_figures[0]; i++)
        write_service_figure(statuses, &service_figures[i], &w);
    metrics_write_relay(statuses, &w);
    write_verdicts(statuses, &w);
    write_trained(statuses, &w);
    write_oldest(statuses, &w);
    buf_add_cstr(out, "# EOF\n");
}

/* The ledger: every session as it last was, in a small text file.
 *
 * The first line says how many sessions follow, one a line, each with a checksum. The file
 * is never changed: a new one is written beside it, synced, and put in its place at once, so
 * that a power cut leaves the one or the other, and a disk that is full or read-only refuses
 * it whole. A ledger with anything amiss has been damaged later: it is kept as
 * ledger.damaged, what can be read of it is closed, and no new money is asked for until an
 * operator has taken that file away. */
#define _DEFAULT_SOURCE
#include "controller.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE 512
#define HEADER "sessions %d\n"
#define AGAIN SECONDS(30)               /* a storage that has failed is tried so often */

struct session sessions[MAX_SESSIONS];
bool ledger_damaged, ledger_writable;

static char directory[4096], path[4096], new_path[4096], evidence[4096];
static uint32_t last_key;
static ms_t try_again;

static bool has_ended(const struct session *s)
{
    return s->state == FREE || s->state == CLOSED || s->state == LOST;
}

/* --- Lines ------------------------------------------------------------------------ */

static uint32_t checksum(const char *text, size_t length)       /* FNV-1a */
{
    uint32_t hash = 2166136261u;
    while (length--)
        hash = (hash ^ (uint8_t)*text++) * 16777619u;
    return hash;
}

#define OUT "%" PRIu32 " %c %" PRIu32 " %d %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 \
            " %" PRId64 " %" PRId64 " %" PRId64 " %d %d %d %d %" PRId64 " %" PRId64
#define IN "%" SCNu32 " %c %" SCNu32 " %d %67s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 \
           " %" SCNd64 " %" SCNd64 " %" SCNd64 " %d %d %d %d %" SCNd64 " %" SCNd64

static int line_of(const struct session *s, char line[LINE])
{
    const char *card = *s->card && !has_ended(s) ? s->card : "-";
    int n = snprintf(line, LINE, OUT, s->key, s->state, s->id, s->connector, card, s->limit,
                     s->register_wh, s->energy_wh, s->amount, s->opened, s->lost, s->metered,
                     s->commit, s->in_flight, s->maybe_done, s->attempts, s->next, s->sent);
    return n + snprintf(line + n, LINE - (size_t)n, " *%08" PRIx32 "\n",
                        checksum(line, (size_t)n));
}

static bool read_line(const char *line, struct session *place)
{
    struct session s = {0};
    char state;
    int commit, in_flight, maybe_done;
    size_t length = strcspn(line, "\n");
    if (length < 11 || strtoul(line + length - 8, NULL, 16) != checksum(line, length - 10)
        || sscanf(line, IN, &s.key, &state, &s.id, &s.connector, s.card, &s.limit,
                  &s.register_wh, &s.energy_wh, &s.amount, &s.opened, &s.lost, &s.metered, &commit,
                  &in_flight, &maybe_done, &s.attempts, &s.next, &s.sent) != 18)
        return false;
    s.state = state;
    s.commit = commit;
    s.in_flight = in_flight;
    s.maybe_done = maybe_done;
    if (!strcmp(s.card, "-"))
        *s.card = 0;
    *place = s;
    if (s.key > last_key)
        last_key = s.key;
    return true;
}

/* --- The file ----------------------------------------------------------------------- */

static void replay(void)
{
    char line[LINE];
    int expected = 0, found = 0;
    FILE *in = fopen(path, "r");
    if (!in) {
        ledger_damaged |= errno != ENOENT;
        return;
    }
    bool is_whole = fgets(line, LINE, in) && sscanf(line, HEADER, &expected) == 1;
    while (fgets(line, LINE, in)) {
        if (found < MAX_SESSIONS && read_line(line, &sessions[found])) {
            found++;
        } else {
            note("ledger: damaged line: %s", line);
            is_whole = false;
        }
    }
    ledger_damaged |= !is_whole || found != expected || ferror(in);
    fclose(in);
}

static bool sync_directory(void)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_ok;
}

static bool write_all(FILE *out)
{
    char line[LINE];
    int count = 0;
    for (int i = 0; i < MAX_SESSIONS; i++)
        count += sessions[i].state != FREE;
    fprintf(out, HEADER, count);
    for (int i = 0; i < MAX_SESSIONS; i++)
        if (sessions[i].state != FREE)
            fwrite(line, 1, (size_t)line_of(&sessions[i], line), out);
    return fflush(out) == 0 && !ferror(out) && fsync(fileno(out)) == 0;
}

static bool keep_evidence(void)         /* the oldest, if there is more */
{
    return access(evidence, F_OK) == 0 || link(path, evidence) == 0;
}

static bool save(void)
{
    FILE *out = ledger_damaged && !keep_evidence() ? NULL : fopen(new_path, "w");
    bool is_ok = out && write_all(out);
    if (out)
        is_ok &= fclose(out) == 0;
    is_ok = is_ok && rename(new_path, path) == 0 && sync_directory();
    if (!is_ok)
        unlink(new_path);               /* it takes room that is missing */
    try_again = now + AGAIN;
    return is_ok;
}

void ledger_open(const char *state_directory)
{
    umask(077);                         /* cards are nobody else's business */
    snprintf(directory, sizeof directory, "%s", state_directory);
    snprintf(path, sizeof path, "%.4000s/ledger", state_directory);
    snprintf(new_path, sizeof new_path, "%.4000s/ledger.new", state_directory);
    snprintf(evidence, sizeof evidence, "%.4000s/ledger.damaged", state_directory);
    ledger_damaged = access(evidence, F_OK) == 0;
    replay();
    ledger_writable = save();
    if (ledger_damaged || !ledger_writable)
        alarm_operator("ledger", 0, "the ledger cannot be used; no new sessions are opened");
}

bool ledger_put(const struct session *s)
{
    bool was_writable = ledger_writable;
    go_round();
    ledger_writable = save();
    if (was_writable && !ledger_writable)
        alarm_operator("ledger", s->id, "the ledger cannot be written");
    return ledger_writable;
}

void ledger_tick(void)
{
    if (!ledger_writable && due(try_again))
        ledger_writable = save();
}

struct session *ledger_new(void)
{
    struct session *oldest = NULL;      /* ended ones stay known for as long as possible */
    for (int i = 0; i < MAX_SESSIONS; i++)
        if (has_ended(&sessions[i]) && (!oldest || sessions[i].key < oldest->key))
            oldest = &sessions[i];
    if (oldest)
        *oldest = (struct session){.key = ++last_key, .state = FREE, .opened = calendar()};
    return oldest;
}

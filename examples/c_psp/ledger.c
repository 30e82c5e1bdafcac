/* The ledger: every session as it last was, in a text file that is only appended to.
 *
 * One line is one session; the last line of a key counts. Each line ends with a
 * checksum and is on disk (fdatasync) before ledger_put returns. A last line without an
 * end was never acknowledged and is cut off; any other line that does not check is
 * damage, after which no new money is asked for. At each boot, and when the file has
 * grown, it is written anew without the sessions that have ended. */
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

#define MAX_BYTES (1 << 20)
#define LINE 512

struct session sessions[MAX_SESSIONS];
bool ledger_damaged, ledger_writable;

static char path[4096], new_path[4096 + 8], directory[4096];
static int file = -1;
static off_t size;
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
    int n = snprintf(line, LINE, OUT, s->key, s->state, s->id, s->connector,
                     *s->card ? s->card : "-", s->limit, s->register_wh, s->energy_wh, s->amount,
                     s->opened, s->lost, s->metered, s->commit, s->in_flight, s->maybe_done,
                     s->attempts, s->next, s->sent);
    return n + snprintf(line + n, LINE - (size_t)n, " *%08" PRIx32 "\n",
                        checksum(line, (size_t)n));
}

static bool read_line(const char *line, size_t length)
{
    struct session s = {0};
    char state;
    int commit, in_flight, maybe_done;
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
    struct session *place = NULL;
    for (int i = 0; i < MAX_SESSIONS; i++)
        if (sessions[i].key == s.key || (has_ended(&sessions[i]) && !place))
            place = &sessions[i];
    for (int i = 0; i < MAX_SESSIONS; i++)
        if (sessions[i].key == s.key)
            place = &sessions[i];
    if (!place)
        return false;
    *place = s;
    if (s.key > last_key)
        last_key = s.key;
    return true;
}

/* --- The file ----------------------------------------------------------------------- */

static void replay(void)
{
    char *text = NULL;
    int in = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (in < 0) {
        ledger_damaged = errno != ENOENT;
        size = ledger_damaged ? -1 : 0;
        return;
    }
    if (fstat(in, &about) || !(text = malloc((size_t)about.st_size + 1))
        || read(in, text, (size_t)about.st_size) != about.st_size) {
        ledger_damaged = true;
        size = -1;
    } else {
        char *at = text, *end;
        text[about.st_size] = 0;
        for (; (end = memchr(at, '\n', (size_t)(text + about.st_size - at))); at = end + 1) {
            *end = 0;
            if (!read_line(at, (size_t)(end - at))) {
                note("ledger: damaged line: %s", at);
                ledger_damaged = true;
            }
        }
        size = at - text;
    }
    free(text);
    close(in);
}

static bool sync_directory(void)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_ok;
}

/* A new file with what is still open, put in place of the old one at once. */
static bool rewrite(void)
{
    char line[LINE];
    off_t written = 0;
    int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_ok = fd >= 0;
    for (int i = 0; i < MAX_SESSIONS && is_ok; i++) {
        /* The newest key is kept, ended or not: keys are never used twice. */
        if (has_ended(&sessions[i]) && (!sessions[i].key || sessions[i].key != last_key))
            continue;
        int n = line_of(&sessions[i], line);
        is_ok = write(fd, line, (size_t)n) == n;
        written += n;
    }
    is_ok = is_ok && fsync(fd) == 0 && rename(new_path, path) == 0 && sync_directory();
    if (!is_ok) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (file >= 0)
        close(file);
    file = fd;
    size = written;
    return true;
}

static bool append_to_old(void)
{
    file = size >= 0 ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    return file >= 0 && ftruncate(file, size) == 0 && lseek(file, size, SEEK_SET) == size;
}

void ledger_open(const char *state_directory)
{
    snprintf(directory, sizeof directory, "%s", state_directory);
    snprintf(path, sizeof path, "%.4000s/ledger", state_directory);
    snprintf(new_path, sizeof new_path, "%.4000s/ledger.new", state_directory);
    replay();
    /* A damaged ledger is evidence: it is kept and appended to. */
    ledger_writable = ledger_damaged ? append_to_old() : rewrite();
    if (ledger_damaged || !ledger_writable)
        alarm_operator("ledger", 0, "the ledger cannot be used; no new sessions are opened");
}

bool ledger_put(const struct session *s)
{
    char line[LINE];
    int n = line_of(s, line);
    go_round();
    if (ledger_writable && file >= 0 && write(file, line, (size_t)n) == n && fdatasync(file) == 0) {
        size += n;
        return true;
    }
    if (ledger_writable)
        alarm_operator("ledger", s->id, "the ledger cannot be written");
    ledger_writable = false;
    try_again = now + SECONDS(30);
    return false;
}

void ledger_tick(void)
{
    bool is_big = ledger_writable && size > MAX_BYTES && !ledger_damaged;
    if (is_big || (!ledger_writable && due(try_again ? try_again : now))) {
        if (file >= 0 && !ledger_writable && ftruncate(file, size) == 0)
            lseek(file, size, SEEK_SET);        /* no half line in the way */
        ledger_writable = ledger_damaged ? file >= 0 : rewrite();
        try_again = now + SECONDS(30);
    }
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

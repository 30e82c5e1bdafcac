/* The PSP terminal: what it is asked, and what its answers mean.
 *
 * One request waits for its answer at a time, so a Result can only be that of the
 * request before it. Two things are outside of this: a Get Status, whose answer has a
 * form of its own, and an authorisation, whose answers have names of their own.
 * When an answer does not come, the connection is given up with it (a late answer dies
 * with its connection) and the set-up is done anew. */
#include "controller.h"

#include <stdio.h>
#include <string.h>

enum {                                  /* requests */
    ENABLE = 0x12, PROTOCOL = 0x13, SETUP = 0x23, SYNCHRONIZE = 0x24, GET_STATUS = 0x26,
    VOID_SESSION = 0x33, START_SESSION = 0x34, COMMIT_SESSION = 0x35, AUTH_SESSION = 0x36,
    CANCEL_SESSION = 0x37, RESET = 0x55,
};
enum {                                  /* answers; the same codes mean other things here */
    RESULT = 0x00, APPROVED = 0x31, DECLINED = 0x32, CANCELLED = 0x33, CARD_READ = 0x34,
    PARTLY_APPROVED = 0x35, PROPRIETARY_CARD = 0x40,
};
enum { OFFLINE = 0x01, ONLINE = 0x02, DISABLED = 0x04, ENABLED = 0x08, WAIT_CARD = 0x10,
       WAIT_AUTH = 0x20 };

#define OPTIONS 0x0A                    /* DETAILED | AUTH_DOL */
#define SESSION_LIFE_S 1209600u         /* then the terminal voids: longer than all retries */
#define VOID_AT_EXPIRY 0x01
#define TAG_HASH 0xDFF006u
#define TAG_MASKED_PAN 0xDFCA0Bu

#define ANSWER SECONDS(5)
#define CLOSE_ANSWER SECONDS(60)
#define AUTH_ANSWER (SECONDS(210) + SECONDS(2))
#define SETTLE (500 + HASTE)            /* Start Session is only answered when refused */

static enum { DOWN, SYNC, OPTING, SETTING, ENABLING, LOOKING, READY } phase;
static enum { IDLE, WAITING, HOLDING, AUTHORISING } reader;

static uint8_t in[512];
static size_t in_size;
static ms_t in_since;

static int asked;                       /* header of the request that waits; 0: none */
static ms_t asked_until, status_until;  /* 0: nothing waits */
static ms_t step_until, opened_at, sent_at, status_at, reader_at, auth_until, start_from;
static bool must_authorise, must_drop, is_doubtful;
static uint32_t reference;

static void up(void);
static void down(void);
static void bytes(const uint8_t *data, size_t size);
struct link psp_link = {.up = up, .down = down, .bytes = bytes, .fd = -1};

bool psp_is_ready(void) { return phase == READY; }
bool psp_is_authorising(void) { return reader == AUTHORISING; }

/* --- Blocks out ------------------------------------------------------------------- */

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint8_t sum(const uint8_t *data, size_t size)
{
    uint8_t total = 0;
    while (size--)
        total = (uint8_t)(total + *data++);
    return total;
}

static void put(int header, const uint8_t *payload, size_t size)
{
    uint8_t block[64] = {0xCC, (uint8_t)(size + 2), 0x3C, (uint8_t)header};
    if (size)
        memcpy(block + 4, payload, size);
    block[4 + size] = sum(block, 4 + size);
    link_write(&psp_link, block, 5 + size);
    sent_at = now;
}

static void ask(int header, const uint8_t *payload, size_t size, ms_t limit)
{
    asked = header;
    asked_until = now + limit + HASTE;
    put(header, payload, size);
}

static void ask_status(void)
{
    if (status_until)
        return;
    put(GET_STATUS, NULL, 0);
    status_at = now;
    status_until = now + ANSWER + HASTE;
}

/* --- Set-up: Reset, Synchronize (polled), Protocol, Setup, Enable, Get Status -------- */

static void enter(int next)
{
    uint8_t setup[5] = {0, 0, 0, 0, VOID_AT_EXPIRY}, protocol[5] = {3, 0, 0, 0, OPTIONS};
    put32(setup, SESSION_LIFE_S);
    phase = next;
    step_until = now + (phase == SYNC ? SECONDS(2) : ANSWER) + HASTE;
    switch (phase) {
    case SYNC: put(SYNCHRONIZE, NULL, 0); break;
    case OPTING: put(PROTOCOL, protocol, 5); break;
    case SETTING: put(SETUP, setup, 5); break;
    case ENABLING: put(ENABLE, NULL, 0); break;
    case LOOKING: put(GET_STATUS, NULL, 0); break;
    case READY:
        step_until = 0;
        start_from = now;
        note("terminal ready");
        on_terminal_ready();
        break;
    case DOWN: break;
    }
}

/* Whatever waited for an answer has an unknown outcome now. */
static void lost(void)
{
    bool was_closing = asked == COMMIT_SESSION || asked == VOID_SESSION;
    bool was_authorising = reader == AUTHORISING, had_card = must_authorise;
    phase = DOWN;
    reader = IDLE;
    asked = 0;
    asked_until = status_until = step_until = auth_until = 0;
    must_authorise = must_drop = is_doubtful = false;
    if (was_closing)
        on_close_answer(NO_ANSWER, 0);
    if (was_authorising)
        on_no_answer(0);
    else if (had_card)
        on_declined();
}

void psp_set_up_again(void)             /* on the line that there is */
{
    lost();
    in_size = 0;
    opened_at = now;
    put(RESET, NULL, 0);
    enter(SYNC);
}

static void start_over(void)            /* a new connection, where there are connections */
{
    if (psp_link.is_serial)
        psp_set_up_again();
    else
        link_restart(&psp_link);
}

static void up(void) { psp_set_up_again(); }
static void down(void) { note("terminal lost"), lost(); }

/* --- What the terminal says ---------------------------------------------------------- */

/* The value of a tag in BER-TLV data, as text; empty when it is not there. */
static void find_tag(const uint8_t *data, size_t size, uint32_t wanted, char text[68])
{
    size_t at = 0;
    text[0] = 0;
    while (at < size) {
        uint32_t tag = data[at++], length;
        if ((tag & 0x1F) == 0x1F)
            do {
                if (at >= size)
                    return;
                tag = tag << 8 | data[at];
            } while (data[at++] & 0x80);
        if (at >= size)
            return;
        length = data[at++];
        for (unsigned more = length > 0x80 ? length & 0x7F : 0, first = 1; more; more--) {
            if (at >= size)
                return;
            length = (first ? 0 : length << 8) | data[at++];
            first = 0;
        }
        if (length > size - at)
            return;
        if (tag == wanted) {
            bool is_text = true;
            for (uint32_t i = 0; i < length; i++)
                is_text &= data[at + i] > 0x20 && data[at + i] < 0x7F;
            for (uint32_t i = 0; i < length && i < (is_text ? 66 : 33); i++)
                sprintf(text + (is_text ? i : 2 * i), is_text ? "%c" : "%02X", data[at + i]);
            return;
        }
        at += length;
    }
}

static void card_read(int header, const uint8_t *payload, size_t size)
{
    char hash[68], pan[68];
    if (reader != WAITING || asked == CANCEL_SESSION)
        return;
    if (asked == START_SESSION)
        asked = 0, asked_until = 0;
    reader = HOLDING;
    find_tag(payload + 1, size ? size - 1 : 0, TAG_HASH, hash);
    find_tag(payload + 1, size ? size - 1 : 0, TAG_MASKED_PAN, pan);
    on_card(hash, header == CARD_READ && *pan);
}

static void authorisation_over(void)
{
    reader = IDLE;
    auth_until = 0;
}

static void approved(const uint8_t *payload, size_t size, bool is_partial)
{
    size_t head = is_partial ? 8 : 4;   /* then, perhaps, one byte of length and the tags */
    char hash[68] = "";
    if (size < head)
        return;
    if (size > head)
        find_tag(payload + head + 1, size - head - 1, TAG_HASH, hash);
    bool is_ours = reader == AUTHORISING && is_awaited(hash);
    if (is_ours)
        authorisation_over();
    on_approved(get32(payload), is_partial ? (int64_t)get32(payload + 4) : -1, is_ours);
}

static void declined(void)
{
    authorisation_over();
    on_declined();
}

static void cancelled(void)             /* the reader is idle again, whatever it did */
{
    bool had_card = reader == AUTHORISING || must_authorise;
    if (asked == CANCEL_SESSION || asked == START_SESSION)
        asked = 0, asked_until = 0;
    authorisation_over();
    must_authorise = must_drop = false;
    if (had_card)
        on_declined();
}

static void result(bool is_ok, int reason)
{
    int was = asked;
    asked = 0;
    asked_until = 0;
    switch (was) {
    case COMMIT_SESSION:
    case VOID_SESSION:
        on_close_answer(is_ok            ? CONFIRMED
                        : reason == 0x0C ? NOT_FOUND
                        : reason == 0x05 ? WRONG_STATE
                        : reason == 0x03 || reason == 0x04 ? GARBLED
                                                           : REFUSED,
                        reason);
        break;
    case START_SESSION:
    case CANCEL_SESSION:
        if (!is_ok) {
            reader = IDLE;
            start_from = now + SECONDS(2);
            ask_status();
        }
        break;
    case 0:
        if (!is_ok && reader == AUTHORISING) {
            if (reason == 0x0B)
                alarm_operator("other", 0, "the terminal reports a duplicate session id");
            declined();
            ask_status();
        }
        break;
    }
}

static void status(int state, bool is_running)
{
    bool is_fresh = status_until && status_at > reader_at;
    status_until = 0;
    if (state == OFFLINE || state == ONLINE || state == DISABLED)
        psp_set_up_again();
    else if (!is_fresh || asked)
        return;                         /* older than what the reader was asked last */
    else if (state == ENABLED && reader == AUTHORISING) {
        authorisation_over();           /* answers come in order: this one was lost */
        on_no_answer(0);
    } else if (state == ENABLED && reader != IDLE)
        cancelled();
    else if ((state == WAIT_CARD && (reader == IDLE || !is_running))
             || (state == WAIT_AUTH && reader != HOLDING && reader != AUTHORISING))
        ask(CANCEL_SESSION, NULL, 0, ANSWER);   /* a read that is of no use */
}

static bool is_status(int header, const uint8_t *payload, size_t size)
{
    if (size != 2 || (header != RESULT && header != GET_STATUS))
        return false;
    if (header == GET_STATUS)
        return true;
    return payload[0] == OFFLINE ? payload[1] < 2 : payload[0] != 0;
}

static void block(int header, const uint8_t *payload, size_t size)
{
    bool is_ok = header == RESULT && size && payload[0] == 0;
    if (header == APPROVED || header == PARTLY_APPROVED) {  /* at any time: late ones too */
        approved(payload, size, header == PARTLY_APPROVED);
    } else if (is_status(header, payload, size)) {
        if (phase == LOOKING)
            enter(READY);
        else if (phase == READY)
            status(payload[0], payload[1] == 1);
    } else if (phase < READY) {
        if (phase == SYNC && header == SYNCHRONIZE)
            enter(OPTING);
        else if (phase == OPTING && (header == PROTOCOL || header == RESULT))
            enter(SETTING);
        else if (phase == SETTING && is_ok)
            enter(ENABLING);
        else if (phase == ENABLING && is_ok)
            enter(LOOKING);
    } else if (header == RESULT && size) {
        result(is_ok, size > 1 ? payload[1] : 0);
    } else if (header == CARD_READ || header == PROPRIETARY_CARD) {
        card_read(header, payload, size);
    } else if (header == DECLINED && reader == AUTHORISING) {
        declined();
    } else if (header == CANCELLED) {
        cancelled();
    }
}

/* A damaged approval may still tell the id of the session. */
static void damaged(const uint8_t *data, size_t total)
{
    bool is_approval = data[3] == APPROVED || data[3] == PARTLY_APPROVED;
    note("damaged block, header %02X", data[3]);
    if (is_approval && total >= 9 && reader == AUTHORISING) {
        authorisation_over();
        on_no_answer(get32(data + 4));
    }
}

static void take_blocks(bool is_late)
{
    while (in_size) {
        size_t total = in_size > 1 ? in[1] + 3u : 0, skip = 1;
        bool is_start = in[0] == 0xAA && (in_size < 2 || in[1] >= 2)
                        && (in_size < 3 || in[2] == 0x3C);
        if (is_start && (!total || in_size < total)) {
            if (!is_late)
                return;                 /* the rest is still to come */
        } else if (is_start) {
            if (sum(in, total - 1) == in[total - 1]) {
                uint8_t copy[258];
                memcpy(copy, in, total);
                memmove(in, in + total, in_size -= total);
                block(copy[3], copy + 4, total - 5);
                continue;
            }
            damaged(in, total);
        }
        memmove(in, in + skip, in_size -= skip);
    }
}

static void bytes(const uint8_t *data, size_t size)
{
    while (size) {
        size_t n = size < sizeof in - in_size ? size : sizeof in - in_size;
        memcpy(in + in_size, data, n);
        in_size += n;
        data += n;
        size -= n;
        in_since = now;
        take_blocks(false);
    }
}

/* --- What is wanted of it --------------------------------------------------------------- */

bool psp_can_close(void) { return phase == READY && !asked && !is_doubtful; }

void psp_close(uint32_t id, bool commit, uint32_t amount)
{
    uint8_t payload[8];
    put32(payload, id);
    put32(payload + 4, amount);
    ask(commit ? COMMIT_SESSION : VOID_SESSION, payload, commit ? 8 : 4, CLOSE_ANSWER);
}

void psp_authorise(void) { must_authorise = true; }
void psp_drop_card(void) { must_drop = true; }

static void mind_reader(void)
{
    if (reader == HOLDING && must_drop) {
        must_drop = false;
        ask(CANCEL_SESSION, NULL, 0, ANSWER);
    } else if (reader == HOLDING && must_authorise) {
        must_authorise = false;
        reader = AUTHORISING;
        reader_at = now;
        auth_until = now + AUTH_ANSWER + HASTE;
        put(AUTH_SESSION, NULL, 0);
    } else if (reader == IDLE && (start_from <= now || due(start_from))) {
        uint8_t payload[9] = {0};       /* amount, reference, no tag list: the usual tags */
        put32(payload, (uint32_t)settings.reserve);
        put32(payload + 4, ++reference);
        reader = WAITING;
        reader_at = now;
        ask(START_SESSION, payload, 9, SETTLE);
    }
}

static void no_answer(void)
{
    int was = asked;
    asked = 0;
    asked_until = 0;
    go_round();
    if (was == START_SESSION)
        return;                         /* silence means yes */
    if (was == COMMIT_SESSION || was == VOID_SESSION)
        on_close_answer(NO_ANSWER, 0);
    if (reader == AUTHORISING)
        is_doubtful = true;             /* hanging up now would lose the approval */
    else
        start_over();
}

void psp_tick(void)
{
    if (in_size && due(in_since + SECONDS(1) + HASTE))
        take_blocks(true);
    if (!psp_link.is_up)
        return;
    if (due(step_until)) {
        if (phase == SYNC && (psp_link.is_serial || now - opened_at < SECONDS(20)))
            enter(SYNC);
        else
            start_over();
    }
    if (phase != READY)
        return;
    if (due(asked_until))
        no_answer();
    if (due(auth_until)) {
        /* The line is kept: a late approval can only come on this one. */
        psp_set_up_again();
        return;
    }
    if (due(status_until)) {
        status_until = 0;
        if (!asked && reader != AUTHORISING)
            start_over();
    }
    if (is_doubtful && reader != AUTHORISING)
        start_over();
    if (phase != READY)
        return;
    if (!asked && !is_doubtful)
        mind_reader();
    if (due(sent_at + SECONDS(15)))
        ask_status();
}

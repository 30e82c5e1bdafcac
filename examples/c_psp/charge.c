/* The sessions' lives, from a card to a confirmed close. Everything is decided here.
 *
 *   INTENT -> RESERVED -> STARTING -> CHARGING -> STOPPING -> CLOSING -> CLOSED
 *
 * Any state but INTENT may go straight to STOPPING. What happens next is on disk before
 * it happens: the intent before the issuer is asked, the session before the contactor
 * closes, operation and amount before they are sent. CLOSING repeats one operation with
 * one amount until it is confirmed, and nothing changes it any more. */
#include "controller.h"

#include <stdio.h>
#include <string.h>

#define FEEDBACK (SECONDS(10))          /* a command is answered within 1 s */
#define FINAL_METER (SECONDS(2) + HASTE)
#define REACTION (SECONDS(2) + 2 * HASTE)       /* from the decision to an open contactor */
#define REPLUG SECONDS(4)               /* a plug that is not seated comes and goes */
#define SAME_TAP SECONDS(3)
#define PRESS SECONDS(60)
#define RAMP SECONDS(5)
#define MINUTES_OVER 6                  /* attempts after which the minutes are over ... */
#define DAY_OVER 30                     /* ... and the hours */
#define MS_W_PER_WH 3600000

static struct session *intent;          /* the authorisation under way */
static char last_card[68];
static ms_t last_card_at;
static struct connector *stop_at;       /* stop was pressed here: a card has to follow */
static ms_t stop_until;

static void finish(struct session *s);

/* --- Who is where --------------------------------------------------------------------- */

static bool is_live(const struct session *s)
{
    return s->state == RESERVED || s->state == STARTING || s->state == CHARGING
           || s->state == STOPPING;
}

#define EACH_SESSION(s) (struct session *s = sessions; s < sessions + MAX_SESSIONS; s++)

static struct session *session_at(const struct connector *c)
{
    for EACH_SESSION(s)
        if (is_live(s) && s->connector == c->number)
            return s;
    return NULL;
}

static struct connector *connector_of(const struct session *s)
{
    return s->connector ? &connectors[s->connector] : NULL;
}

static bool is_unbound(const struct session *s)
{
    return s->state == RESERVED && !s->connector;
}

static struct session *oldest_unbound(void)
{
    struct session *oldest = NULL;
    for EACH_SESSION(s)
        if (is_unbound(s) && (!oldest || s->key < oldest->key))
            oldest = s;
    return oldest;
}

static int count_unbound(void)
{
    int count = 0;
    for EACH_SESSION(s)
        count += is_unbound(s);
    return count;
}

static const char *obstacle(const struct connector *c)
{
    if (emergency_stop)
        return "Emergency stop";
    if (c->faults)
        return "The charger has a fault";
    if (c->pilot == 'E' || c->pilot == 'F')
        return "The vehicle or its cable has a fault";
    return c->pilot == 'D' ? "Vehicles that need ventilation cannot charge here" : NULL;
}

static bool is_free(const struct connector *c)
{
    return charger_is_up && c->available && !obstacle(c) && !c->closed && !session_at(c);
}

static int count_free(void)
{
    int count = 0;
    for (int i = 1; i <= settings.connectors; i++)
        count += is_free(&connectors[i]);
    return count;
}

static bool is_plugged(const struct connector *c)
{
    return c->pilot == 'B' || c->pilot == 'C';
}

static ms_t left_of(ms_t whole, ms_t began)     /* safe against jumps of the calendar */
{
    ms_t left = whole - (calendar() - began);
    return left < 0 ? 0 : left > whole ? whole : left;
}

/* --- Beginning ------------------------------------------------------------------------ */

static void unlock(struct connector *c)
{
    c->unlocking = true;
    bay_command("lock", c->number, "locked", false);
}

static void lock(struct session *s, struct connector *c)
{
    s->feedback = now + FEEDBACK;
    bay_command("lock", c->number, "locked", true);
}

/* Every reason to end comes here; harmless when the session is ending already. */
static void stop(struct session *s, const char *why)
{
    struct connector *c = connector_of(s);
    bool may_be_closed = s->state == CHARGING || s->ordered;
    bool is_starting = s->state == STARTING;
    if (!is_live(s) || s->state == STOPPING)
        return;
    note("session %u: stop: %s", s->id, why);
    s->state = STOPPING;
    s->why = why;
    s->window = s->cap = s->idle = s->silent = s->feedback = 0;
    ledger_put(s);
    if (!c || !may_be_closed) {
        finish(s);
    } else if (charger_is_up && (c->closed || is_starting)) {
        s->feedback = now + FEEDBACK;
        bay_command("contactor", c->number, "close", false);
    } else if (charger_is_up) {
        s->final = now + FINAL_METER;   /* it has opened already */
    }
}

static void close_contactor(struct session *s, struct connector *c)
{
    if (s->state != STARTING || s->ordered || !c->locked || c->pilot != 'C')
        return;
    s->ordered = true;
    s->feedback = now + FEEDBACK;
    show(c->number, "info", "charging", s->id, -1, "Charging");
    bay_command("contactor", c->number, "close", true);
}

static void begin(struct session *s, struct connector *c)
{
    s->state = STARTING;
    s->connector = c->number;
    s->register_wh = c->register_wh;
    s->metered = calendar();
    s->window = now + SECONDS(settings.no_energy_window);
    if (!ledger_put(s))
        stop(s, "The charge cannot be recorded");
    else
        lock(s, c);
}

/* An approved session: the vehicle that waits, else the next one that plugs in. */
static void place(struct session *s)
{
    struct connector *best = NULL;
    s->window = now + SECONDS(settings.plug_in_window);
    if (count_free() < count_unbound()) {
        stop(s, "No connector can deliver");
        return;
    }
    for (int i = 1; i <= settings.connectors; i++) {
        struct connector *c = &connectors[i];
        if (is_free(c) && is_plugged(c) && !c->served
            && (!best || c->plugged_at < best->plugged_at))
            best = c;
    }
    if (best)
        begin(s, best);
    else
        show(0, "info", "plug_in", s->id, -1, "Approved. Plug in now");
}

/* --- Cards and authorisations ------------------------------------------------------------ */

static void turn_away(const char *kind, const char *code, const char *text)
{
    psp_drop_card();
    show(0, kind, code, 0, -1, text);
}

static void remember_card(const char *hash)
{
    snprintf(last_card, sizeof last_card, "%s", hash);
    last_card_at = now;
}

/* A terminal that still refuses a close when the minutes are over gets no more holds. */
static bool close_is_overdue(void)
{
    for EACH_SESSION(s)
        if (s->state == CLOSING && s->attempts >= MINUTES_OVER)
            return true;
    return false;
}

void on_card(const char *hash, bool is_payment)
{
    struct session *mine = NULL;
    bool is_charging = false, is_being_released = false;
    for EACH_SESSION(s) {
        is_charging |= is_live(s) && s->connector;
        if (*hash && !strcmp(s->card, hash)) {
            mine = is_live(s) ? s : mine;
            is_being_released |= s->state == CLOSING && !s->commit;
        }
    }
    struct session *selected = now < stop_until ? session_at(stop_at) : NULL;
    if (*hash && !strcmp(hash, last_card) && now - last_card_at < SAME_TAP) {
        psp_drop_card();                /* the second half of a double tap */
    } else if (selected && mine != selected) {
        turn_away("error", "wrong_card", "This is not the card that started this charge");
    } else if (!is_payment) {
        turn_away("error", "declined", "This card is not accepted");
    } else if (mine) {
        remember_card(hash);
        turn_away("info", NULL, "Stopping");
        stop(mine, mine->state == CHARGING ? "Stopped by card" : "Cancelled by card");
    } else if (charger_is_up && is_charging && count_free() <= count_unbound()) {
        turn_away("error", "wrong_card", "This card has not started a charge here");
    } else if (is_being_released || close_is_overdue() || count_free() <= count_unbound()
               || ledger_damaged || !ledger_writable || !(intent = ledger_new())) {
        turn_away("error", "unavailable", "Not available at the moment");
    } else {
        intent->state = INTENT;
        snprintf(intent->card, sizeof intent->card, "%s", hash);
        if (ledger_put(intent)) {
            psp_authorise();
        } else {
            intent->state = CLOSED;
            intent = NULL;
            turn_away("error", "unavailable", "Not available at the moment");
        }
    }
}

static struct session *take_intent(void)
{
    struct session *s = intent;
    intent = NULL;
    return s;
}

bool is_awaited(const char *hash)
{
    return intent && (!*hash || !*intent->card || !strcmp(hash, intent->card));
}

/* Also what nobody waits for: it is somebody's money all the same. */
void on_approved(uint32_t id, int64_t amount, bool is_awaited)
{
    for EACH_SESSION(s)
        if (s->state != FREE && s->id == id)
            return;
    struct session *s = is_awaited ? take_intent() : NULL;
    if (!s && (s = ledger_new()))
        s->unwanted = true;
    if (!s) {
        alarm_operator("orphan", id, "too many open sessions; release this one by hand");
        return;
    }
    note("session %u: approved", id);
    s->id = id;
    s->limit = amount < 0 ? settings.reserve : amount;
    s->opened = calendar();
    s->state = RESERVED;
    bool is_durable = ledger_put(s);
    if (*s->card)
        remember_card(s->card);
    if (s->unwanted)
        stop(s, "The approval came too late");
    else if (!is_durable)
        stop(s, "The session cannot be recorded");
    else
        place(s);
}

void on_declined(void)
{
    struct session *s = take_intent();
    if (!s)
        return;
    s->state = CLOSED;
    ledger_put(s);
    show(0, "error", "declined", 0, -1, "Declined. Please ask your card issuer");
}

/* Neither approved nor declined. An Apollo cannot list its sessions: tell the operator,
 * and be ready for a late approval. */
void on_no_answer(uint32_t suspect)
{
    struct session *s = take_intent();
    if (!s)
        return;
    alarm_operator("unknown_outcome", suspect,
                   "an authorisation was not answered; money may be held");
    show(0, "error", "unavailable", 0, -1, "Payment is not possible at the moment");
    s->state = suspect ? RESERVED : LOST;
    s->id = suspect;
    s->limit = settings.reserve;
    ledger_put(s);
    if (suspect)
        stop(s, "The approval was damaged");
}

/* --- Charger facts -------------------------------------------------------------------------- */

/* Add what flowed since the last reading. A register that falls or moves faster than the
 * connector can has not measured energy: that step is left out, and counting goes on. */
static void count_energy(struct session *s, const struct connector *c)
{
    ms_t age = calendar() - s->metered;
    int64_t step = c->register_wh - s->register_wh;
    int64_t most = (settings.max_power_w * (age + SECONDS(2) + 3 * HASTE)) / MS_W_PER_WH + 2;
    bool is_plausible = step >= 0 && (age < 0 || step <= most);
    if (is_plausible)
        s->energy_wh += step;
    else if (!s->meter_doubted)
        alarm_operator("meter", s->id, "the register has jumped");
    s->meter_doubted |= !is_plausible;
    if (step || !c->power_w)            /* a register may stand still, then catch up */
        s->metered = calendar();
    s->register_wh = c->register_wh;
    ledger_put(s);
}

/* When a charge must end: money, a vehicle that is full, a meter that says nothing. */
static void watch(struct session *s, const struct connector *c)
{
    s->cap = s->silent = 0;
    if (s->energy_wh)
        s->window = 0;
    if (c->pilot == 'C' && c->power_w) {
        s->idle = 0;
    } else if (s->energy_wh && !s->idle) {
        ms_t wait = SECONDS(settings.parked_full_window);
        s->idle = now + (c->pilot == 'C' && wait < RAMP ? RAMP : wait);
    }
    if (settings.per_kwh) {
        int64_t left_wh = s->limit * 1000 / settings.per_kwh - s->energy_wh - 1;
        s->cap = now + left_wh * MS_W_PER_WH / settings.max_power_w - REACTION;
        s->cap = s->cap < now ? now : s->cap;
    }
    if (c->pilot == 'C' && c->power_w >= 500)
        s->silent = now + SECONDS(60);
}

static void energised(struct session *s, struct connector *c)
{
    s->state = CHARGING;
    s->feedback = 0;
    note("session %u: charging at connector %d from %lld Wh", s->id, c->number,
         (long long)s->register_wh);
    ledger_put(s);
    watch(s, c);
}

static void open_unpaid(struct connector *c)
{
    alarm_operator("contactor", 0, "a contactor is closed without a session");
    bay_command("contactor", c->number, "close", false);
}

void on_contactor(struct connector *c)
{
    struct session *s = session_at(c);
    if (!s) {
        if (c->closed)
            open_unpaid(c);
    } else if (s->state == STARTING && c->closed) {
        energised(s, c);
    } else if (s->state == STARTING && s->ordered) {
        alarm_operator("contactor", s->id, "the contactor does not close");
        s->ordered = false;
        stop(s, "The charger does not start");
    } else if (s->state == CHARGING && !c->closed) {
        stop(s, "The charger has ended the charge");
    } else if (s->state == STOPPING && !c->closed) {
        s->feedback = 0;
        s->final = now + FINAL_METER;
    }
}

void on_lock(struct connector *c)
{
    struct session *s = session_at(c);
    bool was_unlocking = c->unlocking;
    c->unlocking = false;
    if (was_unlocking) {                /* answers come in the order of their commands */
        if (c->locked)
            alarm_operator("other", 0, "a cable does not unlock");
    } else if (s && s->state == STARTING && !s->ordered) {
        s->feedback = 0;
        if (c->locked)
            close_contactor(s, c);
        else
            stop(s, "The cable cannot be locked");
    }
}

static void serve_waiting(struct connector *c)
{
    struct session *waiting = oldest_unbound();
    if (waiting && is_plugged(c) && !c->served && is_free(c))
        begin(waiting, c);
}

void on_pilot(struct connector *c, char before)
{
    struct session *s = session_at(c);
    if (!s) {
        if (before == 'A')
            serve_waiting(c);
    } else if (obstacle(c)) {
        stop(s, obstacle(c));
    } else if (c->pilot == 'A') {
        if (s->state == STARTING && !s->ordered)
            s->idle = now + REPLUG;
        else
            stop(s, "Unplugged");
    } else if (s->state == STARTING && s->idle) {
        s->idle = 0;
        lock(s, c);
    } else if (s->state == STARTING) {
        close_contactor(s, c);
    } else if (s->state == CHARGING) {
        if (c->pilot == 'C')
            s->idle = 0;
        else if (s->energy_wh)
            s->idle = now + SECONDS(settings.parked_full_window);
    }
}

void on_meter(struct connector *c, bool is_good)
{
    struct session *s = session_at(c);
    if (!s)
        return;                         /* nobody pays for what comes after the close */
    if (!is_good && !s->meter_doubted) {
        s->meter_doubted = true;
        alarm_operator("meter", s->id, "the meter cannot be trusted");
    } else if (is_good && s->state == STARTING && !s->ordered) {
        s->register_wh = c->register_wh;
    } else if (is_good) {
        count_energy(s, c);
    }
    if (s->final)
        finish(s);
    else if (s->state == CHARGING && is_good)
        watch(s, c);
}

void on_rejected(struct connector *c, bool is_contactor)
{
    struct session *s = session_at(c);
    if (!s || s->state != STARTING)
        return;
    s->ordered &= !is_contactor;        /* nothing was switched: there is nothing to open */
    stop(s, "The charger refuses");
}

void on_press(struct connector *c, const char *button)
{
    struct session *s = session_at(c);
    if (!strcmp(button, "start")) {
        show(c->number, "info", NULL, 0, -1, "Tap your card");
    } else if (s && s->energy_wh) {     /* only its card or the plug may end it now */
        stop_at = c;
        stop_until = now + PRESS;
        show(c->number, "info", NULL, s->id, -1, "Tap the card that started this charge");
    } else if (s) {
        stop(s, "Cancelled by the driver");
    } else if (intent) {
        intent->unwanted = true;
    } else if (count_unbound() == 1) {
        stop(oldest_unbound(), "Cancelled by the driver");
    }
}

void on_obstacle(void)
{
    for EACH_SESSION(s) {
        struct connector *c = connector_of(s);
        if (!is_live(s) || !c || !charger_is_up)
            continue;
        if (obstacle(c))
            stop(s, obstacle(c));
        else if (!c->available && s->state == STARTING)
            stop(s, "The connector is out of service");
    }
    while (charger_is_up && count_unbound() > count_free())
        stop(oldest_unbound(), "No connector can deliver");
}

/* --- The charger's link ------------------------------------------------------------------------ */

static void charger_away(struct session *s)
{
    if (!s->lost) {
        s->lost = calendar();
        ledger_put(s);
    }
    s->gone = now + left_of(SECONDS(settings.charger_loss_window), s->lost);
    s->feedback = s->silent = 0;
}

void on_charger_lost(void)
{
    note("charger lost");
    for EACH_SESSION(s)
        if (is_live(s))
            charger_away(s);
}

static void compare(struct session *s, struct connector *c)
{
    if (s->state == RESERVED)
        return;
    count_energy(s, c);
    if (c->closed && s->state == STARTING)
        energised(s, c);
    if (!c->closed) {
        if (s->state != STOPPING)
            s->why = "The charge ended while the charger was away";
        finish(s);
    } else if (s->state == STOPPING) {
        s->feedback = now + FEEDBACK;
        bay_command("contactor", c->number, "close", false);
    } else if (c->pilot == 'A') {
        stop(s, "Unplugged");
    } else {
        s->window = s->energy_wh ? 0 : now + SECONDS(settings.no_energy_window);
        watch(s, c);
    }
}

void on_welcome(void)
{
    char text[96];
    snprintf(text, sizeof text, "%lld.%02lld will be reserved", (long long)settings.reserve / 100,
             (long long)settings.reserve % 100);
    show(0, "price", NULL, 0, settings.reserve, text);
    for EACH_SESSION(s)
        if (is_live(s)) {
            s->lost = s->gone = 0;
            ledger_put(s);
            if (s->connector)
                compare(s, connector_of(s));
        }
    for (int i = 1; i <= settings.connectors; i++)
        if (!session_at(&connectors[i])) {
            if (connectors[i].closed)
                open_unpaid(&connectors[i]);
            serve_waiting(&connectors[i]);
        }
    on_obstacle();
}

/* --- Closing ------------------------------------------------------------------------------------- */

static void finish(struct session *s)
{
    struct connector *c = connector_of(s);
    char text[160];
    int64_t amount = (s->energy_wh * settings.per_kwh + 500) / 1000;
    s->amount = amount < s->limit ? amount : s->limit;
    s->commit = s->amount > 0;
    s->state = CLOSING;
    s->window = now;
    s->is_free = false;
    s->feedback = s->final = s->gone = s->cap = s->idle = s->silent = 0;
    s->next = calendar();
    ledger_put(s);
    note("session %u: %s %lld for %lld Wh", s->id, s->commit ? "commit" : "void",
         (long long)s->amount, (long long)s->energy_wh);
    snprintf(text, sizeof text, "%s. %lld Wh; %s", s->why ? s->why : "Ended",
             (long long)s->energy_wh, s->commit ? "charged" : "the reservation is released");
    show(s->connector, "receipt", s->commit ? "stopped" : "released", s->id, s->amount, text);
    if (c) {
        c->served = is_plugged(c) && s->energy_wh > 0;
        unlock(c);
    }
}

/* At once, then each minute five times, each hour for a day, each day for a week. */
static ms_t gap_after(int attempts)
{
    return attempts < MINUTES_OVER ? SECONDS(60)
           : attempts < DAY_OVER   ? SECONDS(3600)
           : attempts < DAY_OVER + 7 ? SECONDS(86400) : 0;
}

static void arm(struct session *s)
{
    ms_t gap = s->attempts ? gap_after(s->attempts) : 0;
    s->window = now + left_of(gap, s->next - gap);
    s->is_free = false;
}

static void try_again(struct session *s)
{
    if (!gap_after(s->attempts)) {
        s->state = EXHAUSTED;
        alarm_operator("close_exhausted", s->id, "all attempts to close have failed");
        return;
    }
    if ((s->attempts == MINUTES_OVER || s->attempts == DAY_OVER) && !s->was_free)
        alarm_operator("close_failed", s->id, "a session is still not closed");
    arm(s);
}

static void attempt(struct session *s)
{
    if (!s->is_repeat)                  /* that belongs to the attempt before it */
        s->was_free = s->is_free;
    s->is_repeat = false;
    if (!s->is_free) {
        s->attempts++;
        s->next = calendar() + gap_after(s->attempts);
    }
    if (!psp_is_ready()) {
        try_again(s);
        ledger_put(s);
        return;
    }
    s->in_flight = true;
    s->sent = calendar();
    s->window = 0;
    ledger_put(s);
    note("session %u: attempt %d", s->id, s->attempts);
    psp_close(s->id, s->commit, (uint32_t)s->amount);
}

void on_close_answer(enum outcome outcome, int reason)
{
    struct session *s = sessions;
    while (s < sessions + MAX_SESSIONS && !(s->state == CLOSING && s->in_flight))
        s++;
    if (s == sessions + MAX_SESSIONS)
        return;
    note("session %u: answer %d, reason %02X", s->id, outcome, reason);
    bool was_unsure = s->maybe_done;
    s->in_flight = false;
    s->maybe_done |= outcome == NO_ANSWER;
    if (outcome == CONFIRMED || (outcome == NOT_FOUND && was_unsure)) {
        s->state = CLOSED;
    } else if (outcome == WRONG_STATE && psp_is_authorising()) {
        s->put_off = true;              /* until the authorisation is over */
    } else if ((outcome == WRONG_STATE || outcome == GARBLED) && !s->was_repeated) {
        /* Once more, at once, but once only: a cable that damages every block would be
         * hammered twice a minute otherwise. */
        s->was_repeated = s->is_repeat = s->is_free = true;
        s->window = now;
    } else {
        if (outcome == NOT_FOUND && s->attempts == 1 && !s->was_free)
            alarm_operator("unknown_outcome", s->id, "the terminal does not know a session");
        try_again(s);
    }
    ledger_put(s);
    if (outcome == WRONG_STATE && s->window == now)
        psp_set_up_again();
}

void on_terminal_ready(void)
{
    for EACH_SESSION(s) {
        ms_t since = calendar() - s->sent;
        if (s->state != CLOSING || s->in_flight || (s->sent && s->was_free))
            continue;
        if (s->attempts && s->window > now) {   /* one attempt is free after a reconnect */
            s->is_free = true;
            s->window = since >= 0 && since < SECONDS(30) ? now + SECONDS(30) - since : now;
        }
    }
}

/* --- Time and boot ---------------------------------------------------------------------------------- */

static void live_tick(struct session *s)
{
    bool is_unseen = !charger_is_up && (s->ordered || s->state == CHARGING);
    if (!charger_is_up && due(s->gone)) {
        alarm_operator("other", s->id, "the charger cannot be reached");
        s->why = s->why ? s->why : "The charger cannot be reached";
        finish(s);
    } else if (s->state == STOPPING) {
        if (due(s->feedback)) {
            alarm_operator("contactor", s->id, "the contactor does not open");
            finish(s);
        } else if (due(s->final)) {
            finish(s);
        }
    } else if (due(s->feedback)) {
        alarm_operator("contactor", s->id, "the charger does not answer");
        stop(s, "The charger does not start");
    } else if (!is_unseen && due(s->window)) {
        stop(s, s->state == RESERVED ? "No vehicle was plugged in" : "The vehicle took no energy");
    } else if (!is_unseen && due(s->cap)) {
        stop(s, "The reserved amount is used up");
    } else if (!is_unseen && due(s->idle)) {
        stop(s, s->state == STARTING ? "Unplugged" : "The vehicle has stopped charging");
    } else if (due(s->silent)) {
        s->silent = 0;
        alarm_operator("meter", s->id, "the meter is silent although energy flows");
    }
}

void charge_tick(void)
{
    for EACH_SESSION(s)
        if (is_live(s))
            live_tick(s);
    for EACH_SESSION(s) {
        if (s->state != CLOSING || s->in_flight)
            continue;
        if (s->put_off && !psp_is_authorising()) {
            s->put_off = false;
            s->is_free = true;
            s->window = now;
        }
        if (s->is_free && calendar() >= s->next)
            s->is_free = s->is_repeat = false;
        /* A free attempt waits for the line; one of the schedule counts without it. */
        if (!s->put_off && due(s->window) && (psp_can_close() || !(psp_is_ready() || s->is_free)))
            attempt(s);
    }
}

void charge_boot(void)
{
    for (int i = 1; i <= 32; i++)
        connectors[i] = (struct connector){.number = i, .pilot = 'A', .available = true};
    for EACH_SESSION(s) {
        if (s->state == INTENT) {
            intent = s;
            on_no_answer(0);
        } else if (is_live(s)) {
            s->window = s->state == RESERVED
                            ? now + left_of(SECONDS(settings.plug_in_window), s->opened)
                            : now + SECONDS(settings.no_energy_window);
            s->ordered = s->state != RESERVED;
            charger_away(s);
        } else if (s->state == CLOSING) {
            s->maybe_done |= s->in_flight;
            s->in_flight = false;
            arm(s);
        }
    }
}

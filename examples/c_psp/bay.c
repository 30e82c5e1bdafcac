/* The bay link: one JSON object a line, facts in and commands out.
 *
 * The reader takes any JSON (unknown fields may hold anything) into a small tree, and
 * accepts nothing that is not JSON; what does not fit is ignored and told on stderr. */
#include "controller.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE (64 * 1024)

struct connector connectors[33];
bool charger_is_up, emergency_stop;

static char line[MAX_LINE + 1];
static size_t line_size;
static bool is_too_long;
static ms_t heard_at, ping_at;
static char kept[32][512];              /* alarms and receipts that wait for the link */
static unsigned kept_count;

static void up(void);
static void down(void);
static void bytes(const uint8_t *data, size_t size);
struct link bay_link = {.up = up, .down = down, .bytes = bytes, .fd = -1};

/* --- JSON in ------------------------------------------------------------------------ */

enum kind { J_NULL, J_FALSE, J_TRUE, J_INTEGER, J_NUMBER, J_TEXT, J_LIST, J_OBJECT };
struct json {
    enum kind kind;
    const char *key, *text;
    int64_t integer;
    struct json *first, *next;
};
static struct json nodes[4096];
static size_t node_count;

static char *blank(char *at)
{
    return at + strspn(at, " \t\r");
}

/* A string, unescaped in place. What comes after it, or NULL. */
static char *read_text(char *at, const char **text)
{
    char *to = at + 1;
    if (*at++ != '"')
        return NULL;
    *text = to;
    while (*at != '"') {
        static const char from[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
        const char *found;
        if ((uint8_t)*at < 0x20)        /* also the end of the line */
            return NULL;
        if (*at != '\\') {
            *to++ = *at++;
        } else if (at[1] == 'u') {      /* nothing that matters here is written so */
            for (int i = 2; i < 6; i++)
                if (!isxdigit((uint8_t)at[i]))
                    return NULL;
            *to++ = '?';
            at += 6;
        } else if (at[1] && (found = strchr(from, at[1]))) {
            *to++ = meant[found - from];
            at += 2;
        } else {
            return NULL;
        }
    }
    *to = 0;
    return at + 1;
}

static char *read_number(char *at, struct json *node)
{
    char *start = at;
    at += *at == '-';
    size_t digits = strspn(at, "0123456789");
    if (!digits || (digits > 1 && *at == '0'))
        return NULL;
    at += digits;
    node->kind = digits < 19 ? J_INTEGER : J_NUMBER;
    node->integer = strtoll(start, NULL, 10);
    if (*at == '.') {
        node->kind = J_NUMBER;
        digits = strspn(++at, "0123456789");
        if (!digits)
            return NULL;
        at += digits;
    }
    if (*at == 'e' || *at == 'E') {
        node->kind = J_NUMBER;
        at += at[1] == '+' || at[1] == '-' ? 2 : 1;
        digits = strspn(at, "0123456789");
        if (!digits)
            return NULL;
        at += digits;
    }
    return at;
}

static char *read_value(char *at, struct json **made, int depth)
{
    static const char *const words[] = {"null", "false", "true"};
    if (node_count == sizeof nodes / sizeof *nodes || depth > 16)
        return NULL;
    struct json *node = *made = &nodes[node_count++];
    *node = (struct json){0};
    at = blank(at);
    for (int i = 0; i < 3; i++)
        if (!strncmp(at, words[i], strlen(words[i]))) {
            node->kind = (enum kind)i;
            return at + strlen(words[i]);
        }
    if (*at == '"') {
        node->kind = J_TEXT;
        return read_text(at, &node->text);
    }
    if (*at != '{' && *at != '[')
        return read_number(at, node);

    char end = *at == '{' ? '}' : ']';
    struct json **last = &node->first;
    node->kind = *at == '{' ? J_OBJECT : J_LIST;
    at = blank(at + 1);
    if (*at == end)
        return at + 1;
    for (;; at++) {
        const char *key = NULL;
        if (end == '}') {
            at = read_text(blank(at), &key);
            if (!at || *(at = blank(at)) != ':')
                return NULL;
            at++;
        }
        if (!(at = read_value(at, last, depth + 1)))
            return NULL;
        (*last)->key = key;
        last = &(*last)->next;
        at = blank(at);
        if (*at == end)
            return at + 1;
        if (*at != ',')
            return NULL;
    }
}

static const struct json *get(const struct json *object, const char *key)
{
    static const struct json nothing = {.kind = J_NULL};
    const struct json *found = &nothing;
    for (const struct json *each = object->first; each; each = each->next)
        if (each->key && !strcmp(each->key, key))
            found = each;
    return found;
}

static const char *get_text(const struct json *object, const char *key)
{
    const struct json *found = get(object, key);
    return found->kind == J_TEXT ? found->text : "";
}

static bool get_flag(const struct json *object, const char *key)
{
    return get(object, key)->kind == J_TRUE;
}

/* --- Lines out ---------------------------------------------------------------------- */

static void send_line(bool keep, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (bay_link.is_up && charger_is_up)
        link_write(&bay_link, text, strlen(text));
    else if (keep && kept_count < sizeof kept / sizeof *kept)
        memcpy(kept[kept_count++], text, sizeof text);
}

void bay_command(const char *type, int connector, const char *key, bool value)
{
    send_line(false, "{\"type\":\"%s\",\"connector\":%d,\"%s\":%s}\n", type, connector, key,
              value ? "true" : "false");
}

static void add(char *fields, size_t size, const char *format, int64_t value)
{
    size_t n = strlen(fields);
    snprintf(fields + n, size - n, format, (long long)value);
}

/* connector 0: none; code NULL, id 0, amount -1: left out. Texts are our own: no quotes. */
void show(int connector, const char *kind, const char *code, uint32_t id, int64_t amount,
          const char *text)
{
    char fields[128] = "";
    add(fields, sizeof fields, connector ? ",\"connector\":%lld" : ",\"connector\":null", connector);
    if (id)
        add(fields, sizeof fields, ",\"session_id\":%lld", id);
    if (amount >= 0)
        add(fields, sizeof fields, ",\"amount_minor\":%lld", amount);
    note("show %s %s: %s", kind, code ? code : "", text);
    send_line(!strcmp(kind, "receipt"), "{\"type\":\"show\",\"kind\":\"%s\"%s,%s%s%s\"text\":\"%s\"}\n",
              kind, fields, code ? "\"code\":\"" : "", code ? code : "", code ? "\"," : "", text);
}

void alarm_operator(const char *code, uint32_t id, const char *text)
{
    char fields[64] = "";
    if (id)
        add(fields, sizeof fields, ",\"session_id\":%lld", id);
    note("ALARM %s, session %u: %s", code, id, text);
    send_line(true, "{\"type\":\"alarm\",\"code\":\"%s\"%s,\"text\":\"%s\"}\n", code, fields, text);
}

/* --- Facts -------------------------------------------------------------------------- */

static unsigned fault_bit(const char *code)
{
    static const char *const harmless[] = {"NoError", "ReaderFailure", "WeakSignal",
                                           "LocalListConflict", "ResetFailure"};
    static const char *const stops[] = {
        "ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature",
        "InternalError", "OtherError", "OverCurrentFailure", "OverVoltage", "PowerMeterFailure",
        "PowerSwitchFailure", "UnderVoltage"};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (!strcmp(code, harmless[i]))
            return 0;
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (!strcmp(code, stops[i]))
            return 1u << i;
    return 1u << 31;                    /* a code that nobody has told us about */
}

static struct connector *connector_of(const struct json *fact)
{
    const struct json *number = get(fact, "connector");
    bool is_ours = number->kind == J_INTEGER && number->integer >= 1
                   && number->integer <= settings.connectors;
    return is_ours ? &connectors[number->integer] : NULL;
}

static bool is_plugged(char pilot) { return pilot == 'B' || pilot == 'C' || pilot == 'D'; }

static void set_pilot(struct connector *c, const struct json *fact)
{
    char before = c->pilot;
    c->pilot = get_text(fact, "pilot")[0] ? get_text(fact, "pilot")[0] : 'F';
    if (is_plugged(c->pilot) && !is_plugged(before))
        c->plugged_at = now;
    if (c->pilot == 'A')
        c->served = false;
}

static bool set_meter(struct connector *c, const struct json *fact)
{
    const struct json *energy = get(fact, "energy_wh"), *power = get(fact, "power_w");
    if (strcmp(get_text(fact, "quality"), "good") || energy->kind != J_INTEGER
        || energy->integer < 0)
        return false;
    c->register_wh = energy->integer;
    c->power_w = power->kind == J_INTEGER ? power->integer : 0;
    return true;
}

static void welcome(const struct json *fact)
{
    emergency_stop = get_flag(fact, "emergency_stop");
    for (const struct json *row = get(fact, "connectors")->first; row; row = row->next) {
        struct connector *c = connector_of(row);
        if (!c)
            continue;
        set_pilot(c, row);
        set_meter(c, row);
        c->closed = get_flag(row, "contactor_closed");
        c->locked = get_flag(row, "locked");
        c->available = get_flag(row, "available");
        c->unlocking = false;           /* its answer died with the last connection */
        c->faults = 0;
        for (const struct json *code = get(row, "faults")->first; code; code = code->next)
            c->faults |= code->kind == J_TEXT ? fault_bit(code->text) : 0;
    }
    charger_is_up = true;
    for (unsigned i = 0; i < kept_count; i++)
        link_write(&bay_link, kept[i], strlen(kept[i]));
    kept_count = 0;
    on_welcome();
}

static void fault(const struct json *fact)
{
    unsigned bit = fault_bit(get_text(fact, "code"));
    for (int i = 1; i <= settings.connectors; i++) {
        if (get(fact, "connector")->kind != J_NULL && connector_of(fact) != &connectors[i])
            continue;
        connectors[i].faults &= ~bit;
        connectors[i].faults |= get_flag(fact, "active") ? bit : 0;
    }
    on_obstacle();
}

static void connector_fact(const char *type, const struct json *fact, struct connector *c)
{
    if (!strcmp(type, "plug")) {
        char before = c->pilot;
        set_pilot(c, fact);
        on_pilot(c, before);
    } else if (!strcmp(type, "meter")) {
        on_meter(c, set_meter(c, fact));
    } else if (!strcmp(type, "contactor")) {
        c->closed = get_flag(fact, "closed");
        on_contactor(c);
    } else if (!strcmp(type, "lock")) {
        c->locked = get_flag(fact, "locked");
        on_lock(c);
    } else if (!strcmp(type, "rejected")) {
        on_rejected(c, !strcmp(get_text(fact, "command"), "contactor"));
    } else if (!strcmp(type, "press")) {
        on_press(c, get_text(fact, "button"));
    } else if (!strcmp(type, "available")) {
        c->available = get_flag(fact, "available");
        on_obstacle();
    }
}

static void take_line(void)
{
    struct json *fact;
    node_count = 0;
    line[line_size] = 0;
    char *end = strlen(line) == line_size ? read_value(line, &fact, 0) : NULL;
    if (!end || *blank(end) || fact->kind != J_OBJECT) {
        note("bay link: not a JSON object");
        return;
    }
    const char *type = get_text(fact, "type");
    struct connector *c = connector_of(fact);
    heard_at = now;
    ping_at = 0;
    if (!strcmp(type, "welcome"))
        welcome(fact);
    else if (!charger_is_up)
        return;                         /* welcome is always the first */
    else if (!strcmp(type, "ping") && get(fact, "n")->kind == J_INTEGER)
        send_line(false, "{\"type\":\"pong\",\"n\":%lld}\n", (long long)get(fact, "n")->integer);
    else if (!strcmp(type, "fault"))
        fault(fact);
    else if (!strcmp(type, "emergency_stop"))
        emergency_stop = get_flag(fact, "active"), on_obstacle();
    else if (c)
        connector_fact(type, fact, c);
}

static void bytes(const uint8_t *data, size_t size)
{
    for (; size && bay_link.is_up; size--, data++) {
        if (*data == '\n') {
            if (!is_too_long)
                take_line();
            line_size = 0;
            is_too_long = false;
        } else if (line_size == MAX_LINE) {
            is_too_long = true;
        } else {
            line[line_size++] = (char)*data;
        }
    }
}

static void up(void)
{
    static const char hello[] =
        "{\"type\":\"hello\",\"controller\":\"nohold example in C\",\"version\":\"1\"}\n";
    link_write(&bay_link, hello, sizeof hello - 1);
    line_size = 0;
    is_too_long = false;
    heard_at = now;
    ping_at = 0;
}

static void down(void)
{
    bool was_up = charger_is_up;
    charger_is_up = false;
    if (was_up)
        on_charger_lost();
}

/* A connection that has died in silence is found by asking. */
void bay_tick(void)
{
    if (!bay_link.is_up)
        return;
    if (due(heard_at + SECONDS(35) + HASTE)) {
        link_restart(&bay_link);
    } else if (due(heard_at + SECONDS(25)) && !ping_at) {
        ping_at = now;
        send_line(false, "{\"type\":\"ping\",\"n\":1}\n");
    }
}

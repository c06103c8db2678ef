/* What every network has. What is above says how large this one is, what is below how it goes. */

#if defined(__GNUC__) && !defined(PLAIN)
#if defined(WORD_BYTES)
#elif defined(__AVX512F__)
#define WORD_BYTES 64
#elif defined(__AVX2__)
#define WORD_BYTES 32
#elif defined(__SSE2__) || defined(__ARM_NEON)
#define WORD_BYTES 16
#else
#define WORD_BYTES 8
#endif
typedef uint64_t W __attribute__((vector_size(WORD_BYTES), may_alias));
#define INLINE static inline __attribute__((always_inline))
#else
#undef WORD_BYTES
#define WORD_BYTES 8
typedef uint64_t W; /* a bit of 64 samples; of more where the compiler has vectors */
#define INLINE static inline
#endif
#if defined(__GNUC__)
#define MAYBE_UNUSED __attribute__((unused))
#else
#define MAYBE_UNUSED
#endif
#if defined(__SSE2__) && !defined(PLAIN)
#define SSE2
#include <emmintrin.h>
#endif

#define WORDS (WORD_BYTES / 8)
#define LANES (64 * WORDS) /* samples in a W */
#define ZERO (zero_word())
#define ONES (~zero_word())

#if BITS <= 8
typedef uint8_t SAMPLE;
#else
typedef uint16_t SAMPLE;
#endif
#define STRIP 64
#define PACKED (4 / sizeof(SAMPLE)) /* of them in 32 bits */
#define SHIFTED(row, f, k) ((uint32_t)((row)[k][f] - LOWEST) << 8 * sizeof(SAMPLE) * (k))
#if BITS <= 8
#define OF_FEW(row, f)                                                                             \
    (SHIFTED(row, f, 0) | SHIFTED(row, f, 1) | SHIFTED(row, f, 2) | SHIFTED(row, f, 3))
#else
#define OF_FEW(row, f) (SHIFTED(row, f, 0) | SHIFTED(row, f, 1))
#endif

struct work {
    W value[VALUES];            /* outputs of the nodes */
    W input[INPUT];             /* what a node reads, side by side */
    W seen[SEEN];               /* the same at one position of a window */
    W between[2][BETWEEN];      /* from one node inside a node to the next */
    W pair[2 * PAIRS];          /* bits inverted, and as they are */
    SAMPLE tile[READ][LANES];   /* features that are compared, lowest 0 */
    uint32_t stage[LANES / PACKED][FEATURES];
    int64_t score[CLASSES][LANES];
};

INLINE W zero_word(void)
{
    W zero;
    memset(&zero, 0, sizeof zero);
    return zero;
}

static void nodes(struct work *w, int frame);

/* Features of a few samples side by side, lowest 0. Samples are read in their order, as they come
   from memory; behind the last one it comes again. */
#define STAGE(function, FEATURE)                                                                    \
    static void function(struct work *w, const FEATURE *x, size_t count)                           \
    {                                                                                              \
        for (size_t s = 0; s < LANES; s += PACKED) {                                               \
            const FEATURE *row[PACKED];                                                            \
            for (size_t k = 0; k < PACKED; k++)                                                    \
                row[k] = x + FEATURES * (s + k < count ? s + k : count - 1);                       \
            uint32_t *packed = w->stage[s / PACKED];                                               \
            for (size_t f = 0; f < FEATURES; f++)                                                  \
                packed[f] = OF_FEW(row, f);                                                        \
        }                                                                                          \
    }
STAGE(stage_integers, int32_t)
#if BYTES
STAGE(stage_bytes, uint8_t)
#endif

/* Features that are compared as rows of samples; a few features at a time, which stay in the
   cache. */
static void fill_tile(struct work *w)
{
    for (size_t first = 0; first < READ; first += STRIP)
        for (size_t s = 0; s < LANES; s += PACKED)
            for (size_t r = first; r < READ && r < first + STRIP; r++) {
                uint32_t packed = w->stage[s / PACKED][read_features[r]];
                for (size_t k = 0; k < PACKED; k++)
                    w->tile[r][s + k] = (SAMPLE)(packed >> 8 * sizeof(SAMPLE) * k);
            }
}

/* Which of 64 samples reach a threshold. */
static uint64_t reached(const SAMPLE *x, uint32_t threshold)
{
    uint64_t found = 0;
    if (threshold >> BITS)
        return found;
#if defined(SSE2)
    for (int k = 0; k < 4; k++) {
        const __m128i *part = (const __m128i *)(x + 16 * k), zero = _mm_setzero_si128();
#if BITS <= 8
        __m128i limit = _mm_set1_epi8((char)threshold);
        __m128i hit = _mm_cmpeq_epi8(_mm_subs_epu8(limit, _mm_loadu_si128(part)), zero);
#else
        __m128i limit = _mm_set1_epi16((short)threshold);
        __m128i low = _mm_cmpeq_epi16(_mm_subs_epu16(limit, _mm_loadu_si128(part)), zero);
        __m128i high = _mm_cmpeq_epi16(_mm_subs_epu16(limit, _mm_loadu_si128(part + 1)), zero);
        __m128i hit = _mm_packs_epi16(low, high);
#endif
        found |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << 16 * k;
    }
#else
    for (int s = 0; s < 64; s++)
        found |= (uint64_t)(x[s] >= threshold) << s;
#endif
    return found;
}

/* The bits of a frame. */
static void modulate(struct work *w, int frame)
{
    const uint32_t *threshold = thresholds + (size_t)frame * COMPARISONS;
    uint64_t word[WORDS];
    for (size_t c = 0; c < COMPARISONS; c++) {
        for (size_t k = 0; k < WORDS; k++)
            word[k] = reached(w->tile[compared[c]] + 64 * k, threshold[c]);
        memcpy(w->value + c, word, sizeof word);
    }
}

/* A full adder, of 64 or more samples at once. */
INLINE W add(W *sum, W b, W c)
{
    W either = *sum ^ b, carry = (*sum & b) | (either & c);
    *sum = either ^ c;
    return carry;
}

/* Count one bit more, of the value of the lowest digit. */
INLINE void count_one(W *digit, int digits, W bit)
{
    for (int d = 0; d < digits; d++) {
        W next = digit[d] & bit;
        digit[d] ^= bit;
        bit = next;
    }
}

/* Input i: as it is, or of a pair the one that the weight says. */
INLINE W pick(const W *x, const uint64_t *weights, size_t i)
{
    return weights ? x[2 * i + (weights[i >> 6] >> (i & 63) & 1)] : x[i];
}

/* How many bits are 1, as binary digits: as many as are needed for n. */
INLINE void count(const W *x, const uint64_t *weights, size_t n, W *digit, int digits)
{
    W low[3] = {ZERO, ZERO, ZERO}, carry, twos, fours;
    size_t i = 0;
    for (int d = 0; d < digits; d++)
        digit[d] = ZERO;
    for (; i + 8 <= n; i += 8) {
#define PICK(k) pick(x, weights, i + (k))
        twos = add(low, PICK(0), PICK(1));
        fours = add(low + 1, twos, add(low, PICK(2), PICK(3)));
        twos = add(low, PICK(4), PICK(5));
        carry = add(low + 2, fours, add(low + 1, twos, add(low, PICK(6), PICK(7))));
#undef PICK
        count_one(digit + 3, digits - 3, carry);
    }
    for (int d = 0; d < 3 && d < digits; d++)
        digit[d] = low[d];
    for (; i < n; i++)
        count_one(digit, digits, pick(x, weights, i));
}

/* Where a count reaches a threshold. */
INLINE W at_least(const W *digit, int digits, uint32_t threshold)
{
    W found = ONES;
    if (threshold >> digits)
        return ZERO;
    for (int d = 0; d < digits; d++)
        found = threshold >> d & 1 ? found & digit[d] : found | digit[d];
    return found;
}

MAYBE_UNUSED static void pairs(W *pair, const W *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pair[2 * i] = ~x[i];
        pair[2 * i + 1] = x[i];
    }
}

/* Neurons: weights in rows of 64-bit words, thresholds in rows, too. */
MAYBE_UNUSED static void xnor(const W *x, W *pair, size_t n, size_t neurons, size_t depth,
                              const uint64_t *weights, const uint32_t *limit, int digits, W *y)
{
    W digit[25];
    pairs(pair, x, n);
    for (size_t j = 0; j < neurons; j++) {
        count(pair, weights + j * ((n + 63) / 64), n, digit, digits);
        for (size_t d = 0; d < depth; d++)
            *y++ = at_least(digit, digits, *limit++);
    }
}

/* Tables that are not worth a line of code each: sources, -1 for none, and contents in bytes. */
MAYBE_UNUSED static void look_up(const W *x, size_t tables, int inputs, const int32_t *source,
                                 const uint8_t *content, const int32_t *place, W *y)
{
    for (size_t j = 0; j < tables; j++, source += inputs) {
        W term[128], leaf[4], first = source[0] < 0 ? ZERO : x[source[0]];
        int terms = 1 << (inputs - 1);
        leaf[0] = ZERO, leaf[1] = ~first, leaf[2] = first, leaf[3] = ONES;
        for (int t = 0; t < terms; t++)
            term[t] = leaf[content[t >> 2] >> 2 * (t & 3) & 3];
        content += (terms + 3) / 4;
        for (int i = 1; i < inputs; i++) {
            W select = source[i] < 0 ? ZERO : x[source[i]];
            terms /= 2;
            for (int t = 0; t < terms; t++)
                term[t] = term[2 * t] ^ (select & (term[2 * t] ^ term[2 * t + 1]));
        }
        y[place[j]] = term[0];
    }
}

/* What a window shows of some channels; a pixel of -1 is 0, one of -2 is 1. */
MAYBE_UNUSED static void see(const W *x, const int32_t *pixel, size_t channels, size_t first,
                             size_t some, size_t high, size_t broad, size_t down, size_t across,
                             W *y)
{
    for (size_t row = 0; row < high; row++)
        for (size_t column = 0; column < broad; column++) {
            int32_t at = pixel[row * down + column * across];
            for (size_t c = 0; c < some; c++)
                *y++ = at == -1 ? ZERO : at == -2 ? ONES : x[(size_t)at * channels + first + c];
        }
}

MAYBE_UNUSED static void move(const W *x, const int32_t *source, size_t n, W *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = source[i] < 0 ? ZERO : x[source[i]];
}

/* A function of the pixels that a window shows: whether at least so many are 1. */
MAYBE_UNUSED static void pool(const W *x, size_t pixels, size_t channels, size_t least, int digits,
                              W *y)
{
    for (size_t c = 0; c < channels; c++) {
        W digit[25], found = x[c];
        if (least == 1)
            for (size_t p = 1; p < pixels; p++)
                found |= x[p * channels + c];
        else if (least == pixels)
            for (size_t p = 1; p < pixels; p++)
                found &= x[p * channels + c];
        else {
            for (int d = 0; d < digits; d++)
                digit[d] = ZERO;
            for (size_t p = 0; p < pixels; p++)
                count_one(digit, digits, x[p * channels + c]);
            found = at_least(digit, digits, (uint32_t)least);
        }
        y[c] = found;
    }
}

/* Add the number that digits are, scaled and shifted, to every sample's score. */
MAYBE_UNUSED static void add_score(int64_t *score, const W *digit, int digits, int64_t scale,
                                   int64_t bias)
{
    for (size_t k = 0; k < WORDS; k++, score += 64) {
        uint32_t number[64] = {0};
        for (int d = 0; d < digits; d++) {
            uint64_t word[WORDS];
            memcpy(word, digit + d, sizeof word);
            uint32_t low = (uint32_t)word[k], high = (uint32_t)(word[k] >> 32);
            for (int s = 0; s < 32; s++) {
                number[s] |= (low >> s & 1) << d;
                number[s + 32] |= (high >> s & 1) << d;
            }
        }
        for (int s = 0; s < 64; s++)
            score[s] += scale * number[s] + bias;
    }
}

/* Counts of groups of bits, each a score. */
MAYBE_UNUSED static void group_sum(const W *x, size_t classes, size_t group, int digits,
                                   int64_t (*score)[LANES])
{
    W digit[25];
    for (size_t c = 0; c < classes; c++) {
        count(x + c * group, NULL, group, digit, digits);
        add_score(score[c], digit, digits, 1, 0);
    }
}

/* Counts of bits that agree with weights, each a score after scale and bias. */
MAYBE_UNUSED static void scores(const W *x, W *pair, size_t n, size_t classes,
                                const uint64_t *weights, int64_t scale, const int32_t *bias,
                                int digits, int64_t (*score)[LANES])
{
    W digit[25];
    pairs(pair, x, n);
    for (size_t c = 0; c < classes; c++) {
        count(pair, weights + c * ((n + 63) / 64), n, digit, digits);
        add_score(score[c], digit, digits, scale, bias[c]);
    }
}

size_t NAME(work_size)(void)
{
    return sizeof(struct work) + 63;
}

const char *NAME(digest)(void)
{
    return DIGEST;
}

static void run(const void *features, int bytes, size_t count, int64_t *scores, void *work)
{
    struct work *w = (struct work *)(((uintptr_t)work + 63) & ~(uintptr_t)63);
    for (size_t start = 0; start < count; start += LANES) {
        size_t some = count - start < LANES ? count - start : LANES;
#if BYTES
        if (bytes)
            stage_bytes(w, (const uint8_t *)features + start * FEATURES, some);
        else
#endif
            stage_integers(w, (const int32_t *)features + start * FEATURES, some);
        fill_tile(w);
        memset(w->score, 0, sizeof w->score);
        for (int frame = 0; frame < FRAMES; frame++) {
            modulate(w, frame);
            nodes(w, frame);
        }
        for (size_t c = 0; c < CLASSES; c++)
            for (size_t s = 0; s < some; s++)
                scores[(start + s) * CLASSES + c] = w->score[c][s];
    }
    (void)bytes;
}

void NAME(evaluate)(const int32_t *features, size_t count, int64_t *scores, void *work)
{
    run(features, 0, count, scores, work);
}

#if BYTES
void NAME(evaluate_bytes)(const uint8_t *features, size_t count, int64_t *scores, void *work)
{
    run(features, 1, count, scores, work);
}
#endif

package finalbell

import (
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anyNumber draws a number that may be reported, extremes included.
func anyNumber(t *rapid.T, label string) Number {
	units := rapid.OneOf(rapid.Int64Range(-1000, 1000), rapid.Int64Range(-maxUnits, maxUnits),
		rapid.SampledFrom([]int64{maxUnits, -maxUnits, 0, 1, -1})).Draw(t, label)
	return fromUnits(units, rapid.IntRange(0, maxScale).Draw(t, label+" decimals"))
}

func TestANumberReadsBackFromItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNumber(t, "n")
		assert.Equal(t, n, Decimal(n.String()))
		text, err := json.Marshal(n)
		require.NoError(t, err)
		var back Number
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, n, back)
		exact, ok := new(big.Rat).SetString(n.String())
		require.True(t, ok)
		assert.Zero(t, exact.Cmp(n.rat()))
		assert.Regexp(t, `^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$`, n.String())
		assert.NotEqual(t, "-0", n.String())
	})
}

// anyUnits draws a number as sums and means make them: of any int64 units.
func anyUnits(t *rapid.T, label string) Number {
	units := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1000, 1000),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt64 / 10, math.MinInt64 / 10})).Draw(t, label)
	return fromUnits(units, rapid.IntRange(0, maxScale).Draw(t, label+" decimals"))
}

func TestNumbersCompareAsFractions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.OneOf(rapid.Custom(func(t *rapid.T) Number { return anyNumber(t, "reported") }),
			rapid.Custom(func(t *rapid.T) Number { return anyUnits(t, "summed") })).Draw(t, "a")
		b := anyUnits(t, "b")
		if rapid.Bool().Draw(t, "close") {
			// The nearest numbers of another scale, where a rounded comparison would go wrong.
			scale := rapid.IntRange(0, maxScale).Draw(t, "scale")
			if units, _, ok := a.unitsAt(scale); ok && units > math.MinInt64 && units < math.MaxInt64 {
				b = fromUnits(units+rapid.Int64Range(-1, 1).Draw(t, "apart"), scale)
			}
		}
		assert.Equal(t, a.rat().Cmp(b.rat()), a.Cmp(b), "%s and %s", a, b)
		assert.Equal(t, b.rat().Cmp(a.rat()), b.Cmp(a), "%s and %s", b, a)
		assert.Equal(t, a.rat().Cmp(b.rat()) == 0, a == b)
	})
}

// roundHalfEven is x rounded to a whole number, halves to the even one.
func roundHalfEven(x *big.Rat) *big.Int {
	two := new(big.Rat).Add(x, big.NewRat(1, 2))
	floor := new(big.Int).Div(two.Num(), two.Denom()) // Euclidean, the denominator is positive
	if two.IsInt() && floor.Bit(0) == 1 {
		floor.Sub(floor, big.NewInt(1))
	}
	return floor
}

func TestUnitsAtAScaleAreExactOrRoundedHalfToEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyUnits(t, "n")
		if rapid.Bool().Draw(t, "as reported") {
			n = anyNumber(t, "reported")
		}
		scale := rapid.IntRange(0, maxScale).Draw(t, "scale")
		want := new(big.Rat).Mul(n.rat(), new(big.Rat).SetInt64(pow10(scale)))
		units, exact, ok := n.unitsAt(scale)
		rounded := roundHalfEven(want)
		assert.Equal(t, rounded.IsInt64(), ok)
		assert.Equal(t, want.IsInt(), exact)
		if ok {
			assert.Equal(t, rounded.Int64(), units)
		}
	})
}

func TestCheckedArithmeticNoticesEveryOverflow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		extreme := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, -1, 0, 1, 1 << 32, -1 << 31}))
		a, b := extreme.Draw(t, "a"), extreme.Draw(t, "b")
		sum := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		got, ok := addChecked(a, b)
		assert.Equal(t, sum.IsInt64(), ok, "%d + %d", a, b)
		if ok {
			assert.Equal(t, sum.Int64(), got)
		}
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		got, ok = mulChecked(a, b)
		assert.Equal(t, product.IsInt64(), ok, "%d * %d", a, b)
		if ok {
			assert.Equal(t, product.Int64(), got)
		}
		if b > 0 {
			assert.Equal(t, roundHalfEven(big.NewRat(a, b)).Int64(), divHalfEven(a, b), "%d / %d", a, b)
		}
	})
}

// aDecimal is the grammar of a JSON number.
var aDecimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// acceptable is the rule of semantics.md: a decimal whose value has at most 15 digits and 9 decimals.
func acceptable(s string) (*big.Rat, bool) {
	if !aDecimal.MatchString(s) {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(s[i+1:])
		if err != nil || exponent > 5000 || exponent < -5000 {
			zero := strings.Trim(s[:i], "-0.") == ""
			return new(big.Rat), zero
		}
	}
	x, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, false
	}
	units := new(big.Rat).Mul(x, new(big.Rat).SetInt64(pow10(maxScale)))
	if !units.IsInt() {
		return nil, false
	}
	digits := new(big.Int).Abs(units.Num())
	for ten := big.NewInt(10); digits.Sign() != 0; {
		q, r := new(big.Int).QuoRem(digits, ten, new(big.Int))
		if r.Sign() != 0 {
			break
		}
		digits = q
	}
	whole := new(big.Int).Quo(x.Num(), x.Denom())
	return x, len(digits.String()) <= 15 && len(whole.Abs(whole).String()) <= 15
}

func checkDecimal(t require.TestingT, s string) {
	want, ok := acceptable(s)
	n := Decimal(s)
	require.Equal(t, ok, n.Err() == nil, "%q", s)
	if ok {
		require.Zero(t, want.Cmp(n.rat()), "%q", s)
		return
	}
	require.ErrorIs(t, n.Err(), ErrOutcome)
	require.False(t, n.Known())
}

func TestDecimalsAreTakenExactlyOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkDecimal(t, rapid.StringMatching(`-?(0|[1-9][0-9]{0,16})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "text"))
		checkDecimal(t, rapid.StringMatching(`-?[1-9][0-9]{12,16}(0{1,12})?(e-?(6|9|10))?`).Draw(t, "about 15 digits"))
		checkDecimal(t, rapid.StringMatching(`-?0{0,3}\.0{0,8}[0-9]{1,3}0{0,9}(e-?[0-9])?`).Draw(t, "about 9 decimals"))
		checkDecimal(t, rapid.StringMatching(`[-+0-9.eE]{0,12}`).Draw(t, "any text"))
	})
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0", "-0", "1e400", "1e-9", "999999999999999", "1000000000000000", "0.1000000000", "NaN", "1e9999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkDecimal(t, s) })
}

// Exactly between two numbers the even one is taken, on either side of 0 and at the ends of the range.
func TestHalvesAreRoundedToEven(t *testing.T) {
	for _, c := range []struct{ n, d, want int64 }{
		{5, 10, 0}, {15, 10, 2}, {25, 10, 2}, {-5, 10, 0}, {-15, 10, -2}, {-25, 10, -2}, {26, 10, 3}, {-26, 10, -3}, {24, 10, 2}, {-24, 10, -2},
		{1, 3, 0}, {2, 3, 1}, {-1, 3, 0}, {-2, 3, -1}, {0, 7, 0},
		{math.MaxInt64, 1, math.MaxInt64}, {math.MinInt64, 1, math.MinInt64}, {math.MaxInt64, 2, 1 << 62}, {math.MinInt64, 2, -1 << 62},
		{math.MaxInt64, math.MaxInt64, 1}, {math.MinInt64, math.MaxInt64, -1}, {math.MaxInt64 - 1, math.MaxInt64, 1}, {1, math.MaxInt64, 0},
	} {
		assert.Equal(t, c.want, divHalfEven(c.n, c.d), "%d / %d", c.n, c.d)
	}
	for text, want := range map[string]int64{"0.125": 12, "0.135": 14, "-0.125": -12, "-0.135": -14, "0.1250001": 13, "2.5": 250, "-7": -700} {
		units, exact, ok := Decimal(text).unitsAt(2)
		assert.True(t, ok)
		assert.Equal(t, want, units, text)
		assert.Equal(t, len(text) < 5, exact, text)
	}
	_, _, ok := Int(maxUnits).unitsAt(maxScale)
	assert.False(t, ok, "24 digits")
}

// What is asked of an unknown or a refused number has an answer, and a refused JSON text leaves the number alone.
func TestNumbersThatAreNone(t *testing.T) {
	var none Number
	_, whole := none.Int64()
	assert.False(t, whole)
	assert.Zero(t, none.Float64())
	assert.NoError(t, none.Err())
	text, err := json.Marshal(none)
	require.NoError(t, err)
	assert.Equal(t, "null", string(text))
	bad := Decimal("1e400")
	_, whole = bad.Int64()
	assert.False(t, whole)
	assert.Zero(t, bad.Float64())
	assert.Equal(t, "1e400", bad.String())
	_, whole = Decimal("1.5").Int64()
	assert.False(t, whole)
	n, whole := Decimal("-12").Int64()
	assert.True(t, whole)
	assert.Equal(t, int64(-12), n)
	kept := Int(7)
	for _, refused := range []string{`"12"`, `1e400`, `0.0000000001`, `true`, `[]`} {
		assert.Error(t, json.Unmarshal([]byte(refused), &kept), refused)
		assert.Equal(t, Int(7), kept)
	}
	require.NoError(t, json.Unmarshal([]byte(`-1.50e1`), &kept))
	assert.Equal(t, Int(-15), kept)
}

func TestTheNumbersOfTheSpecification(t *testing.T) {
	for text, want := range map[string]string{
		"-0": "0", "0.0": "0", "-0.000000000000": "0", "1.50": "1.5", "1e3": "1000", "25E-1": "2.5", "0e400": "0",
		"999999999999999": "999999999999999", "-999999999999999": "-999999999999999", "123456.123456789": "123456.123456789",
		"1e14": "100000000000000", "0.000000001": "0.000000001",
	} {
		assert.NoError(t, Decimal(text).Err(), text)
		assert.Equal(t, want, Decimal(text).String(), text)
	}
	for _, text := range []string{
		"", "-", "NaN", "Infinity", "-Inf", "0x1", "+1", "01", "1.", ".5", "1e", "1e+", "1 ", " 1", "1_000", "١", "1e400",
		"1e15", "1000000000000000", "0.0000000001", "1234567.123456789", "12345678901234567890", "1e99999999999999999999",
		"0e+-5", "0e--1", "0e", "-e9999999", "0.e9999999", "00e9999999", "0x0e9999999",
	} {
		err := Decimal(text).Err()
		assert.ErrorIs(t, err, ErrOutcome, text)
		if text != "" {
			assert.ErrorContains(t, err, text)
		}
		_, jsonErr := json.Marshal(Decimal(text))
		assert.Error(t, jsonErr)
	}
	assert.Error(t, Int(1e15).Err())
	assert.Error(t, Int(-1e15).Err())
	assert.NoError(t, Int(1e15-1).Err())
	assert.NoError(t, Int(1-1e15).Err())
	assert.ErrorContains(t, Score("ann", uint64(math.MaxUint64)).Value.Err(), "18446744073709551615")
	assert.ErrorContains(t, Score("ann", int64(math.MinInt64)).Value.Err(), "-9223372036854775808")
	assert.Equal(t, Int(200), Score("ann", uint8(200)).Value)
	var n Number
	assert.False(t, n.Known())
	assert.NotEqual(t, n, Int(0), "unknown is not 0")
	assert.Empty(t, n.String())
	assert.Error(t, json.Unmarshal([]byte(`"12"`), &n), "a string is no number")
	require.NoError(t, json.Unmarshal([]byte(`null`), &n))
	assert.False(t, n.Known())
}

func TestAFloatIsTheShortestDecimalThatReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-1e6, 1e6)).Draw(t, "x")
		n := Float(x)
		if n.Err() == nil {
			assert.Equal(t, x+0, n.Float64())
			assert.Equal(t, Decimal(strconv.FormatFloat(x, 'f', -1, 64)), n)
		}
		decimals := rapid.IntRange(0, maxScale).Draw(t, "decimals")
		r := FloatRound(x, decimals)
		exact := new(big.Rat).SetFloat64(x)
		want := roundHalfEven(exact.Mul(exact, new(big.Rat).SetInt64(pow10(decimals))))
		if r.Err() != nil {
			fits := want.IsInt64() && Decimal(fromUnits(want.Int64(), decimals).String()).Err() == nil
			assert.False(t, fits, "%g to %d decimals was refused", x, decimals)
			return
		}
		got := new(big.Rat).Mul(r.rat(), new(big.Rat).SetInt64(pow10(decimals)))
		assert.Zero(t, got.Cmp(new(big.Rat).SetInt(want)), "%g to %d decimals is %s", x, decimals, r)
	})
	tenth, fifth := 0.1, 0.2
	assert.Error(t, Float(tenth+fifth).Err(), "17 decimals")
	assert.Equal(t, Decimal("0.1"), Float(0.1))
	assert.Equal(t, Decimal("0.3"), FloatRound(tenth+fifth, 2))
	assert.Equal(t, Int(2), FloatRound(2.5, 0))
	assert.Equal(t, Int(4), FloatRound(3.5, 0))
	assert.Equal(t, Int(0), Float(math.Copysign(0, -1)))
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e300} {
		assert.Error(t, Float(x).Err())
		assert.Error(t, FloatRound(x, 2).Err())
	}
	assert.Error(t, FloatRound(1, 10).Err())
	assert.Error(t, FloatRound(1, -1).Err())
}

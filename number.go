package finalbell

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Number is an exact decimal. The zero Number is unknown, which is not 0: an outcome without a number has it.
// Equal known numbers are ==.
//
// A reported number has at most 15 digits and 9 decimals. The functions that make a Number never fail: what
// they cannot take exactly becomes a Number whose Err says so, and every call that is given one refuses it
// with ErrOutcome. Nothing is rounded unless FloatRound or a board key's Round asks for it.
type Number struct {
	units int64 // no trailing zeros while scale > 0
	scale int8
	state numberState
	text  *string // of a bad number
}

type numberState int8

const (
	unknown numberState = iota
	known
	bad
)

const (
	maxUnits = 1e15 - 1 // 15 digits
	maxScale = 9
)

// Int returns n. Beyond 15 digits it is refused by the call that is given it.
func Int(n int64) Number {
	if n > maxUnits || n < -maxUnits {
		return badNumber(strconv.FormatInt(n, 10))
	}
	return Number{units: n, state: known}
}

// Decimal returns the number written in s: digits with an optional sign, point and exponent, as JSON writes
// them. It is read exactly, never through a float.
func Decimal(s string) Number {
	units, scale, ok := parseDecimal(s)
	if !ok {
		return badNumber(s)
	}
	return Number{units: units, scale: int8(scale), state: known}
}

// Float returns the shortest decimal that reads back as x: 0.1 is 0.1. A sum such as 0.1+0.2 needs 17
// decimals and is refused by the call that is given it; so are NaN and the infinities.
func Float(x float64) Number {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return badNumber(strconv.FormatFloat(x, 'g', -1, 64))
	}
	return Decimal(strconv.FormatFloat(x, 'f', -1, 64))
}

// FloatRound returns the exact value of x rounded half to even to the given decimals, 0 to 9.
func FloatRound(x float64, decimals int) Number {
	text := strconv.FormatFloat(x, 'g', -1, 64)
	if math.IsNaN(x) || math.IsInf(x, 0) || decimals < 0 || decimals > maxScale {
		return badNumber(text)
	}
	// FormatFloat rounds the exact binary value, half to even.
	n := Decimal(strconv.FormatFloat(x, 'f', decimals, 64))
	if n.state == bad {
		return badNumber(text)
	}
	return n
}

func badNumber(text string) Number { return Number{state: bad, text: &text} }

// Known reports whether n is a number at all.
func (n Number) Known() bool { return n.state == known }

// Err says why n cannot be taken, or is nil.
func (n Number) Err() error {
	if n.state != bad {
		return nil
	}
	return refuse(ErrOutcome, fmt.Sprintf("%s is not a decimal of at most 15 digits and 9 decimals", clip(*n.text)))
}

// Cmp compares two known numbers: negative when n is smaller, 0 when equal, positive when larger.
func (n Number) Cmp(m Number) int {
	if n.scale < m.scale {
		return -m.Cmp(n)
	}
	units, ok := mulChecked(m.units, pow10(int(n.scale-m.scale)))
	if !ok {
		// m is beyond any int64 at n's scale, and so beyond n.
		return cmp.Compare(0, m.units)
	}
	return cmp.Compare(n.units, units)
}

func (n Number) rat() *big.Rat {
	return new(big.Rat).SetFrac64(n.units, pow10(int(n.scale)))
}

// String is the shortest decimal form, without exponent or trailing zeros; empty when unknown.
func (n Number) String() string {
	switch n.state {
	case unknown:
		return ""
	case bad:
		return *n.text
	}
	return string(appendDecimal(nil, n.units, int(n.scale)))
}

// Float64 is the nearest float. 0 when unknown.
func (n Number) Float64() float64 {
	if n.state != known {
		return 0
	}
	f, _ := strconv.ParseFloat(n.String(), 64) // its own digits always parse
	return f
}

// Int64 returns n when it is a known whole number.
func (n Number) Int64() (int64, bool) { return n.units, n.state == known && n.scale == 0 }

// MarshalJSON writes n as a JSON number, null when unknown.
func (n Number) MarshalJSON() ([]byte, error) {
	switch n.state {
	case unknown:
		return []byte("null"), nil
	case bad:
		return nil, n.Err()
	}
	return appendDecimal(nil, n.units, int(n.scale)), nil
}

// UnmarshalJSON reads a JSON number exactly, or null; a string is no number.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number{}
		return nil
	}
	d := Decimal(string(text))
	if err := d.Err(); err != nil {
		return err
	}
	*n = d
	return nil
}

// fromUnits returns units / 10^scale for any int64: sums may have more digits than what is reported.
func fromUnits(units int64, scale int) Number {
	for scale > 0 && units%10 == 0 {
		units, scale = units/10, scale-1
	}
	return Number{units: units, scale: int8(scale), state: known}
}

// unitsAt returns n in units of 10^-scale. exact is false when n has more decimals than that; then units is n
// rounded half to even. ok is false when it does not fit.
func (n Number) unitsAt(scale int) (units int64, exact, ok bool) {
	if int(n.scale) <= scale {
		units, ok = mulChecked(n.units, pow10(scale-int(n.scale)))
		return units, true, ok
	}
	return divHalfEven(n.units, pow10(int(n.scale)-scale)), false, true
}

// divHalfEven is n / d rounded half to even, d > 0.
func divHalfEven(n, d int64) int64 {
	q, r := n/d, n%d
	if r < 0 {
		q, r = q-1, r+d
	}
	if r > d-r || r == d-r && q&1 != 0 {
		q++
	}
	return q
}

func addChecked(a, b int64) (int64, bool) {
	sum := a + b
	return sum, (sum > a) == (b > 0)
}

func mulChecked(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	negative := (a < 0) != (b < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi == 0 && lo == 1<<63 && negative {
		return math.MinInt64, true
	}
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func pow10(n int) int64 {
	p := int64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

func appendDecimal(dst []byte, units int64, scale int) []byte {
	if units < 0 {
		dst = append(dst, '-')
	}
	digits := strconv.FormatUint(magnitude(units), 10)
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale > 0 {
		dst = append(append(dst, '.'), digits[len(digits)-scale:]...)
	}
	return dst
}

// parseDecimal reads a decimal as JSON writes it. Zeros at either end do not count as digits: what is limited
// is the value, not how it is written.
func parseDecimal(s string) (units int64, scale int, ok bool) {
	mantissa, exponent, ok := splitExponent(s)
	if !ok {
		return 0, 0, false
	}
	rest, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, pointed := strings.Cut(rest, ".")
	if whole == "" || pointed && fraction == "" || len(whole) > 1 && whole[0] == '0' ||
		!onlyDigits(whole) || !onlyDigits(fraction) {
		return 0, 0, false
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return 0, 0, true // also -0 and 0e400
	}
	trimmed := strings.TrimRight(digits, "0")
	scale = len(fraction) - exponent - (len(digits) - len(trimmed))
	if scale > maxScale || len(trimmed) > 15 || scale < 0 && len(trimmed)-scale > 15 {
		return 0, 0, false
	}
	units, err := strconv.ParseInt(trimmed, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	if scale < 0 {
		units, scale = units*pow10(-scale), 0
	}
	if negative {
		units = -units
	}
	return units, scale, true
}

// splitExponent cuts off a JSON exponent. Exponents of more than six digits are out of any range.
func splitExponent(s string) (mantissa string, exponent int, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, true
	}
	text := s[i+1:]
	digits := strings.TrimLeft(text, "+-")
	if digits == "" || len(text)-len(digits) > 1 || !onlyDigits(digits) {
		return "", 0, false
	}
	exponent, err := strconv.Atoi(text)
	if err != nil || exponent > 1e6 || exponent < -1e6 {
		// A mantissa of zeros stays zero under any exponent.
		return s[:i], 0, strings.Trim(s[:i], "-0.") == ""
	}
	return s[:i], exponent, true
}

func onlyDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

package finalbell

// WithPayslice returns options by which the prizes of a window are paid in slices of n.
func WithPayslice(o Options, n int) Options {
	o.payslice = n
	return o
}

// Package chart draws the few shapes that the pictures of measurements are made
// of, as SVG text that is the same for the same numbers. It knows nothing of what
// is measured.
package chart

"""Official serial numbers (公文流水号): rules that make them, counters that hand them out, numbers that stay."""

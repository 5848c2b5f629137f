/** A dial and its ticks: a taximeter. Decorative; the product's name stands beside it. */
export function Logo({ size = 24 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#2f54d1" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M6.5 21a9.5 9.5 0 0 1 19 0" />
        <path d="M16 21 20.6 14" />
      </g>
      <circle cx="16" cy="21" r="2.3" fill="#fff" />
      <path d="M7 26h2.6M12 26h2.6M17 26h2.6M22 26h2.6" stroke="#fff" strokeWidth="2.2" />
    </svg>
  );
}

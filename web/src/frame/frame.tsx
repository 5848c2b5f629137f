import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { statusQuestion } from '../api/questions.ts';
import { isSignInMissing } from '../api/session.ts';
import { SignInPage } from '../session/sign-in-page.tsx';
import { SignOut } from '../session/sign-out.tsx';
import styles from './frame.module.css';
import { Logo } from './logo.tsx';
import { PAGES } from './pages.ts';
import { ThemeChoice } from './theme-choice.tsx';

/** What every page stands in: skip link, header with the pages that exist, one main landmark, footer. */
export function Frame() {
  const { data: status, error } = useQuery(statusQuestion);
  return (
    <>
      <a className={styles.skip} href="#main">
        Skip to the figures
      </a>
      <header className={styles.header}>
        <div className={styles.bar}>
          <Link to="/cost" className={styles.brand} aria-label="Taximeter, start page">
            <Logo />
            <span>Taximeter</span>
          </Link>
          <nav className={styles.nav} aria-label="Pages">
            {PAGES.map((page) => (
              <Link key={page.path} to={page.path} className={styles.page}>
                {page.title}
              </Link>
            ))}
          </nav>
          <div className={`${styles.tools} not-printed`}>
            {status?.isSignedIn && <SignOut />}
            <ThemeChoice />
          </div>
        </div>
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        {isSignInMissing(error) ? <SignInPage /> : <Outlet />}
      </main>
      <Footer />
    </>
  );
}

function Footer() {
  const { data: status } = useQuery(statusQuestion);
  return (
    <footer className={styles.footer}>
      {status && (
        <span>
          Taximeter {status.version}
          {status.newestCall !== null && ` · newest call ${status.newestCall.slice(0, 16).replace('T', ' ')} UTC`}
        </span>
      )}
    </footer>
  );
}

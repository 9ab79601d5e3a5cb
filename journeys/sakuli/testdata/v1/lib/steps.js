function logIn($user) {
  _setValue(_textbox("user"), $user);
  _setValue(_password("key"), "hunter22");
  _click(_submit("Log in"));
}

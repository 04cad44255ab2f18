SET myapp.user_role = 'admin'; SELECT set_config('myapp.user_role', 'x', true)
